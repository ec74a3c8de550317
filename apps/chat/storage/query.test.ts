import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { tempFolder } from '../testing/temp-folder.ts'
import { loadQueries, query, splitQueries } from './query.ts'

test('a file of statements is split at its names', () => {
  const parts = splitQueries(
    '-- About.\n\n-- name: one\n-- first\nSELECT 1;\n\n-- name: two\nSELECT 2;\n',
  )
  assert.deepEqual([...parts.keys()], ['one', 'two'])
  assert.equal(parts.get('one'), '-- first\nSELECT 1;')
})

test('statements are prepared under their names, and none is missing or left over', async (t) => {
  const file = pathToFileURL(join(await tempFolder(t), 'queries.sql'))
  await writeFile(file, '-- name: twice\nSELECT :n * 2 AS result;\n')
  const database = new DatabaseSync(':memory:')
  t.after(() => database.close())
  const twice = query<{ n: number }, { result: number }>()
  const queries = loadQueries(database, file, { twice })
  assert.equal(queries.twice.get({ n: 21 })?.result, 42)
  assert.throws(() => loadQueries(database, file, { twice, thrice: twice }), /named "thrice"/)
  assert.throws(() => loadQueries(database, file, {}), /nobody uses "twice"/)
})
