import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteWriter } from './byte-writer.ts'

test('text is written as UTF-8, whatever is in it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 })), (texts) => {
      const out = new ByteWriter(32)
      for (const text of texts) out.text(text)
      assert.deepEqual(
        Buffer.from(out.take()),
        Buffer.from(texts.map((text) => text.toWellFormed()).join('')),
      )
    }),
  )
})

test('what was taken does not change any more', () => {
  const out = new ByteWriter(16)
  out.u32(0x01020304)
  const first = out.take()
  for (let count = 0; count < 100; count++) out.u32(0xffffffff)
  assert.deepEqual([...first], [1, 2, 3, 4])
  assert.equal(out.take().length, 400)
})

test('numbers are big end first; patching and truncating count from the region', () => {
  const out = new ByteWriter(8)
  out.u8(9)
  out.take()
  out.u16(0xabcd)
  out.u32(0)
  out.patchU32(2, 0xdeadbeef)
  out.u8(1)
  out.truncate(6)
  assert.deepEqual([...out.take()], [0xab, 0xcd, 0xde, 0xad, 0xbe, 0xef])
})
