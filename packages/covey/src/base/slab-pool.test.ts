import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlabPool } from './slab-pool.ts'

test('slabs are as large as asked for, and lent again', () => {
  const slabs = new SlabPool()
  const small = slabs.lend(1)
  const large = slabs.lend(small.length + 1)
  assert.ok(large.length > small.length)
  assert.equal(slabs.lend(5_000_000).length, 5_000_000)
  for (const slab of [small, large]) {
    assert.notEqual(slabs.lend(slab.length), slab)
    slabs.takeBack(slab)
    assert.equal(slabs.lend(slab.length), slab)
  }
})

test('what is kept has a limit, and strangers are not kept at all', () => {
  const slabs = new SlabPool()
  const size = slabs.lend(1).length
  const many = Array.from({ length: 100 }, () => slabs.lend(1))
  for (const slab of many) slabs.takeBack(slab)
  slabs.takeBack(new Uint8Array(0))
  slabs.takeBack(new Uint8Array(size - 1))
  const again = Array.from({ length: 100 }, () => slabs.lend(1))
  assert.ok(again.every((slab) => slab.length === size))
  const kept = again.filter((slab) => many.includes(slab)).length
  assert.ok(kept > 0 && kept * size <= 2 ** 20, `${kept} slabs`)
})
