import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from './hex.ts'

test('bytes and digits turn into one another', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'))
  assert.equal(toHex(bytes, 254), 'feff')
  assert.deepEqual(fromHex(toHex(bytes)), bytes)
  assert.deepEqual(fromHex('00ffab'), new Uint8Array([0, 255, 171]))
  assert.deepEqual(fromHex(''), new Uint8Array(0))
})

test('what is no pair of digits is refused', () => {
  for (const text of ['0', 'xy', '0g', ' 00', '00 ', '0x00', '00\n', '-1', 'FF']) {
    assert.equal(fromHex(text), undefined, text)
  }
})
