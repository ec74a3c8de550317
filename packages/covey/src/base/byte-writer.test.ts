import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { smallSlabs } from '../testing/small-slabs.ts'
import { ByteWriter } from './byte-writer.ts'
import { SlabPool } from './slab-pool.ts'

test('text is written as UTF-8, whatever is in it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (texts) => {
      const out = new ByteWriter(smallSlabs(32))
      for (const text of texts) out.text(text)
      assert.deepEqual(
        Buffer.from(out.take()),
        Buffer.from(texts.map((text) => text.toWellFormed()).join('')),
      )
    }),
  )
})

test('what was taken does not change any more', () => {
  const out = new ByteWriter(smallSlabs(16))
  out.u32(0x01020304)
  const first = out.take()
  for (let count = 0; count < 100; count++) out.u32(0xffffffff)
  assert.deepEqual([...first], [1, 2, 3, 4])
  assert.equal(out.take().length, 400)
})

test('numbers are big end first; patching and truncating count from the region', () => {
  const out = new ByteWriter(smallSlabs(8))
  out.u8(9)
  out.take()
  out.u16(0xabcd)
  out.u32(0)
  out.patchU32(2, 0xdeadbeef)
  out.u8(1)
  out.truncate(6)
  assert.deepEqual([...out.take()], [0xab, 0xcd, 0xde, 0xad, 0xbe, 0xef])
})

test('memory goes back when nothing that was taken is needed, and is lent again', () => {
  const slabs = new SlabPool()
  const out = new ByteWriter(slabs)
  out.u32(1)
  const first = out.take()
  out.u32(2)
  out.reuse()
  assert.deepEqual([...out.take()], [0, 0, 0, 2], 'what was not taken stays')
  assert.deepEqual([...first], [0, 0, 0, 1])
  out.reuse()
  assert.equal(out.bytes.length, 0)
  const other = new ByteWriter(slabs)
  other.u8(9)
  assert.equal(first[0], 9)
})

test('a slab that something was taken from is not lent to others when it is full', () => {
  const slabs = new SlabPool()
  const out = new ByteWriter(slabs)
  out.u32(1)
  const first = out.take()
  out.ensure(2 * 1024)
  assert.notEqual(out.bytes.buffer, first.buffer)
  assert.notEqual(slabs.lend(1).buffer, first.buffer)
  out.u8(7)
  out.reuse()
  assert.equal(slabs.lend(1).buffer, first.buffer, 'it is when nobody reads it any more')
  assert.deepEqual([...out.take()], [7])
})

test('a slab that nothing was taken from is lent again when it was outgrown', () => {
  const slabs = new SlabPool()
  const out = new ByteWriter(slabs)
  out.u8(7)
  const { buffer } = out.bytes
  out.ensure(2 * 1024)
  assert.equal(out.take()[0], 7)
  assert.equal(slabs.lend(1).buffer, buffer)
})
