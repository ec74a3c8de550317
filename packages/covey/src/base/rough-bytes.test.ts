import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roughBytes } from './rough-bytes.ts'

test('text and bytes take their length, wherever they are', () => {
  const text = 'x'.repeat(10_000)
  assert.equal(roughBytes(text), 10_008)
  assert.equal(roughBytes(new Uint8Array(500)), 508)
  assert.ok(roughBytes({ a: { b: [text, { c: text }] } }) > 10_000)
  for (const small of [undefined, null, 7, true, {}, []]) assert.equal(roughBytes(small), 8)
})

test('long lists take about what their first elements do, and are looked at in part', () => {
  const list = Array.from({ length: 1_000_000 }, () => 'x'.repeat(92))
  assert.equal(roughBytes(list), 8 + 100 * 1_000_000)
})

test('a value that holds itself ends', () => {
  const self: Record<string, unknown> = { text: 'x'.repeat(100) }
  self.self = self
  assert.ok(roughBytes(self) < 1_000)
})
