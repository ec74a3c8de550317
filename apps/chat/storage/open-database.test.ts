import assert from 'node:assert/strict'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { tempFolder } from '../testing/temp-folder.ts'
import { openDatabase } from './open-database.ts'

async function project(t: TestContext, steps: Record<string, string>) {
  const folder = await tempFolder(t)
  await mkdir(join(folder, 'migrations'))
  const migrations = pathToFileURL(`${join(folder, 'migrations')}/`)
  async function write(more: Record<string, string>) {
    for (const [name, text] of Object.entries(more))
      await writeFile(new URL(name, migrations), text)
  }
  await write(steps)
  return { file: join(folder, 'inner', 'data', 'x.db'), migrations, write }
}

const one = { '0001-a.sql': 'CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;' }

test('a database is made for its owner alone, durable and with foreign keys', async (t) => {
  const { file, migrations } = await project(t, one)
  const database = openDatabase(file, migrations)
  t.after(() => database.close())
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700)
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0]
  assert.equal(pragma('journal_mode'), 'wal')
  assert.equal(pragma('synchronous'), 2)
  assert.equal(pragma('foreign_keys'), 1)
  assert.equal(pragma('busy_timeout'), 5_000)
  assert.equal(pragma('user_version'), 1)
})

test('only the steps that are new run, each once', async (t) => {
  const { file, migrations, write } = await project(t, one)
  const first = openDatabase(file, migrations)
  first.exec('INSERT INTO a VALUES (7)')
  first.close()
  await write({ '0002-b.sql': 'ALTER TABLE a ADD COLUMN name TEXT;' })
  for (let opened = 0; opened < 2; opened++) {
    const database = openDatabase(file, migrations)
    assert.deepEqual({ ...database.prepare('SELECT * FROM a').get() }, { id: 7, name: null })
    database.close()
  }
})

test('a step that fails leaves the database as it was, and the error says which', async (t) => {
  const { file, migrations, write } = await project(t, one)
  openDatabase(file, migrations).close()
  await write({ '0002-bad.sql': 'CREATE TABLE b (id INTEGER); INSERT INTO nowhere VALUES (1);' })
  assert.throws(() => openDatabase(file, migrations), {
    code: 'START_FAILED',
    message: /x\.db: migration .*0002-bad\.sql failed/,
  })
  await write({ '0002-bad.sql': 'CREATE TABLE b (id INTEGER);' })
  openDatabase(file, migrations).close()
})

test('a newer database, a gap in the numbers and an unreadable file are refused', async (t) => {
  const { file, migrations, write } = await project(t, one)
  const database = openDatabase(file, migrations)
  database.exec('PRAGMA user_version = 9')
  database.close()
  assert.throws(() => openDatabase(file, migrations), /version 9, this program knows up to 1/)
  await write({ '0003-c.sql': '' })
  assert.throws(
    () => openDatabase(file, migrations),
    /0003-c\.sql: its name should begin with 0002-/,
  )
  await writeFile(`${file}2`, 'this is no database, but it is long enough to look at'.repeat(20))
  const unfit = { code: 'INVALID_SETTINGS', message: /x\.db2: file is not a database/ }
  assert.throws(() => openDatabase(`${file}2`, migrations), unfit)
})

test('a path that no file can have is a wrong setting', async (t) => {
  const { file, migrations } = await project(t, one)
  const database = openDatabase(file, migrations)
  t.after(() => database.close())
  const code = 'INVALID_SETTINGS'
  assert.throws(() => openDatabase(join(file, 'below-a-file.db'), migrations), { code })
  assert.throws(() => openDatabase(join(file, '..'), migrations), { code, message: /EISDIR/ })
})
