import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameBytes } from './same-bytes.ts'

test('only the same bytes are the same', () => {
  const bytes = new Uint8Array([1, 2, 3, 255])
  assert.ok(sameBytes(bytes, bytes.slice()))
  assert.ok(sameBytes(new Uint8Array(0), new Uint8Array(0)))
  assert.equal(sameBytes(bytes, bytes.subarray(0, 3)), false)
  for (let bit = 0; bit < 32; bit++) {
    const other = bytes.slice()
    other[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(sameBytes(bytes, other), false)
  }
})
