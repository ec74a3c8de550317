import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { until } from '../testing/until.ts'
import { ByteParts } from './byte-parts.ts'

test('the pieces come back as one, whatever their cuts', () => {
  const size = fc.oneof(fc.nat(50), fc.integer({ min: 4_000, max: 5_000 }), fc.nat(20_000))
  fc.assert(
    fc.property(fc.array(size, { maxLength: 40 }), (sizes) => {
      const parts = new ByteParts()
      let next = 0
      const pieces = sizes.map((length) => Uint8Array.from({ length }, () => next++ % 251))
      for (const piece of pieces) parts.push(piece)
      assert.equal(parts.size, next)
      assert.deepEqual(Buffer.from(parts.take()), Buffer.concat(pieces))
      assert.equal(parts.size, 0)
      assert.equal(parts.take().length, 0)
    }),
  )
})

test('what came in one piece is not copied', () => {
  const parts = new ByteParts()
  const piece = new Uint8Array(10)
  parts.push(piece)
  assert.equal(parts.take(), piece)
  parts.push(piece)
  parts.push(piece)
  assert.equal(parts.take().length, 20)
})

/** Waits until a value holds no more memory than that; what is freed is not seen at once. */
async function holdsLessThan(maxBytes: number, make: () => unknown): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const held = () => {
    gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = held()
  const value = make()
  await until(() => held() - before < maxBytes, `it holds less than ${maxBytes} bytes`)
  assert.ok(value)
}

test('a million pieces of a byte take little more memory than their bytes', async () => {
  await holdsLessThan(3_000_000, () => {
    const parts = new ByteParts()
    for (let byte = 0; byte < 1_000_000; byte++) parts.push(new Uint8Array([byte]))
    return parts
  })
})

test('small pieces between large ones do not each take a block', async () => {
  await holdsLessThan(4_000_000, () => {
    const parts = new ByteParts()
    for (let round = 0; round < 500; round++) {
      parts.push(new Uint8Array(4_096))
      parts.push(new Uint8Array(1))
    }
    return parts
  })
})
