import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../testing/random.ts'
import { crc32c } from './crc32c.ts'

test('the sums that RFC 3720, appendix B.4, shows', () => {
  const up = Uint8Array.from({ length: 32 }, (_, index) => index)
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(crc32c(up), 0x46dd794e)
  assert.equal(crc32c(up.toReversed()), 0x113fdb5c)
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
  assert.equal(crc32c(new Uint8Array(0)), 0)
})

test('any length, any part and any cut give what the plain formula gives', () => {
  const random = seededRandom(7)
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: round % 70 }, () => random() * 256)
    const start = Math.floor(random() * (bytes.length + 1))
    const end = start + Math.floor(random() * (bytes.length - start + 1))
    const cut = start + Math.floor(random() * (end - start + 1))
    const whole = crc32c(bytes, start, end)
    assert.equal(whole, bitByBit(bytes.subarray(start, end)))
    assert.equal(crc32c(bytes, cut, end, crc32c(bytes, start, cut)), whole)
  }
})

/** The definition: one bit after the other, no table. */
function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}
