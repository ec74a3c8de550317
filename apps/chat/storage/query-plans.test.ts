import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempFolder } from '../testing/temp-folder.ts'
import { openDatabase } from './open-database.ts'
import { splitQueries } from './query.ts'

/** What a statement may go through from end to end: lists of ids, what it found itself, and one index, to search in texts. */
const allowed = /^SCAN (json_each |u$|users USING COVERING INDEX)/

for (const service of ['user', 'message']) {
  test(`no statement of the ${service} service walks through a table`, async (t) => {
    const folder = new URL(`../${service}/`, import.meta.url)
    const path = join(await tempFolder(t), 'x.db')
    const database = openDatabase(path, new URL('migrations/', folder))
    t.after(() => database.close())
    const queries = splitQueries(await readFile(new URL('queries.sql', folder), 'utf8'))
    assert.ok(queries.size > 10)
    for (const [name, text] of queries) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all()
      for (const { detail } of plan) {
        const scan = String(detail).startsWith('SCAN')
        assert.ok(!scan || allowed.test(String(detail)), `${name}: ${detail}`)
      }
    }
  })
}
