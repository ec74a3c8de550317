import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { IdTable } from './id-table.ts'

test('does what a Map does, whatever numbers come and go', () => {
  const step = fc.record({
    // Few numbers, near each other and far, so that they meet in slots and come back.
    id: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1025, 2049, 4097, 4294967295)),
    remove: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new IdTable<object>()
      const map = new Map<number, object>()
      for (const { id, remove } of steps) {
        if (remove) assert.equal(table.delete(id), map.delete(id))
        else {
          const value = {}
          table.set(id, value)
          map.set(id, value)
        }
        assert.equal(table.size, map.size)
        assert.equal(table.has(id), map.has(id))
        assert.equal(table.get(id), map.get(id))
      }
      assert.deepEqual(new Set(table.keys()), new Set(map.keys()))
      assert.deepEqual(new Set(table.values()), new Set(map.values()))
      for (const [id, value] of map) assert.equal(table.get(id), value)
    }),
  )
})

test('holds thousands at once and many in turn, with one that stays', () => {
  const table = new IdTable<string>()
  table.set(7, 'stays')
  for (let id = 10; id < 100_000; id++) {
    table.set(id, `${id}`)
    if (id >= 5_010) assert.ok(table.delete(id - 5_000))
  }
  assert.equal(table.size, 5_001)
  assert.equal(table.get(7), 'stays')
  assert.equal(table.get(99_999), '99999')
  assert.equal(table.get(94_999), undefined)
  for (const id of table.keys()) table.delete(id)
  assert.equal(table.size, 0)
  assert.deepEqual(table.values(), [])
})

test('numbers that all meet in one slot are held as well, without a slot for each bit of them', () => {
  const table = new IdTable<number>()
  for (let n = 1; n <= 2_000; n++) table.set(n * 65_536, n)
  assert.equal(table.size, 2_000)
  for (let n = 1; n <= 2_000; n++) assert.equal(table.get(n * 65_536), n)
  assert.equal(table.get(3), undefined)
})

test('what came and went is garbage for the next small collection, also when the table has become old', () => {
  setFlagsFromString('--expose-gc')
  const gc: (options: { type: 'minor' }) => void = runInNewContext('gc')
  const table = new IdTable<object>()
  let last = 0
  const turn = (calls: number) => {
    for (let n = 0; n < calls; n++) {
      last += 1
      table.set(last, { values: new Array(20).fill(last) })
      table.delete(last - 128)
    }
  }
  turn(300)
  // By then it is in the old generation; with a Map in its place 30 MiB of the dead stay behind from here on.
  for (let n = 0; n < 3; n++) gc({ type: 'minor' })
  const before = process.memoryUsage().heapUsed
  let most = 0
  for (let n = 0; n < 20; n++) {
    turn(10_000)
    gc({ type: 'minor' })
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  assert.ok(most < 4 * 1024 ** 2, `${most} bytes stayed`)
})
