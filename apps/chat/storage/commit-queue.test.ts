import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { silentLog } from 'covey'
import { tempFolder } from '../testing/temp-folder.ts'
import { CommitQueue } from './commit-queue.ts'

async function table(t: TestContext) {
  const file = join(await tempFolder(t), 'x.db')
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE n (value INTEGER PRIMARY KEY) STRICT')
  const other = new DatabaseSync(file)
  t.after(() => {
    database.close()
    other.close()
  })
  const insert = database.prepare('INSERT INTO n VALUES (?)')
  const values = (from = other) =>
    from
      .prepare('SELECT value FROM n ORDER BY value')
      .all()
      .map(({ value }) => value)
  return { database, other, insert, values, log: { ...silentLog } }
}

test('writes of one turn are one transaction, answered when others can see them', async (t) => {
  const { database, insert, values, log } = await table(t)
  let commits = 0
  const exec = database.exec.bind(database)
  database.exec = (sql) => {
    if (sql === 'COMMIT') commits += 1
    return exec(sql)
  }
  const queue = new CommitQueue(database, log)
  const results = Array.from({ length: 100 }, (_, i) =>
    queue.commit(() => {
      insert.run(i)
      return i
    }),
  )
  assert.deepEqual(values(), [])
  assert.equal(await results[0], 0)
  assert.equal(values().length, 100)
  assert.deepEqual(
    await Promise.all(results),
    Array.from({ length: 100 }, (_, i) => i),
  )
  assert.equal(commits, 1)
})

test('one bad write undoes only itself', async (t) => {
  const { database, insert, values, log } = await table(t)
  const queue = new CommitQueue(database, log)
  const results = await Promise.allSettled([
    queue.commit(() => insert.run(1)),
    queue.commit(() => {
      insert.run(2)
      throw new Error('after a write')
    }),
    queue.commit(() => {
      insert.run(3)
      insert.run(1)
    }),
    queue.commit(() => insert.run(4)),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  assert.match(String((results[1] as PromiseRejectedResult).reason), /after a write/)
  assert.deepEqual(values(), [1, 4])
})

test('large rushes are split into batches, in order', async (t) => {
  const { database, insert, values, log } = await table(t)
  const queue = new CommitQueue(database, log, { maxBatch: 10 })
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 35 }, (_, i) =>
      queue.commit(() => insert.run(i)).then(() => order.push(i)),
    ),
  )
  assert.deepEqual(
    order,
    Array.from({ length: 35 }, (_, i) => i),
  )
  assert.equal(values().length, 35)
})

test('when the commit fails nobody is told that it worked, and the next one works', async (t) => {
  const { database, other, insert, values, log } = await table(t)
  const errors: string[] = []
  const queue = new CommitQueue(database, { ...log, error: (_, message) => errors.push(message) })
  // Another process that holds the lock, and no patience.
  other.exec('BEGIN IMMEDIATE')
  const failed = await Promise.allSettled([1, 2].map((n) => queue.commit(() => insert.run(n))))
  for (const result of failed) {
    assert.equal((result as PromiseRejectedResult).reason.code, 'UNAVAILABLE')
  }
  assert.deepEqual(errors, ['could not commit'])
  other.exec('ROLLBACK')
  await queue.commit(() => insert.run(3))
  assert.deepEqual(values(), [3])
})

test('a full disk fails the whole batch and keeps nothing of it', async (t) => {
  const { database, insert, values, log } = await table(t)
  const queue = new CommitQueue(database, log)
  await queue.commit(() => insert.run(1))
  database.exec('PRAGMA max_page_count = 2; CREATE TEMP TABLE hold (x)')
  const fill = () => {
    for (let n = 100; n < 5_000; n++) insert.run(n)
  }
  const results = await Promise.allSettled([queue.commit(() => insert.run(2)), queue.commit(fill)])
  assert.equal(results[1]?.status, 'rejected')
  const kept = values()
  assert.ok(!kept.includes(100))
  assert.equal(kept.includes(2), results[0]?.status === 'fulfilled')
  database.exec('PRAGMA max_page_count = 1000000')
  await queue.commit(() => insert.run(5))
  assert.ok(values().includes(5))
})

test('too much waiting is refused; closing writes what waits and takes nothing more', async (t) => {
  const { database, insert, values, log } = await table(t)
  const queue = new CommitQueue(database, log, { maxQueued: 2 })
  const two = [1, 2].map((n) => queue.commit(() => insert.run(n)))
  await assert.rejects(
    queue.commit(() => insert.run(3)),
    { code: 'RESOURCE_EXHAUSTED' },
  )
  queue.close()
  assert.deepEqual(values(), [1, 2])
  await Promise.all(two)
  await assert.rejects(
    queue.commit(() => insert.run(4)),
    { code: 'DRAINING' },
  )
})
