import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBackoff } from './backoff.ts'

test('the bound doubles up to the maximum, for ever', () => {
  const backoff = createBackoff({ baseMs: 100, maxMs: 1_000, random: () => 0.5 })
  const delays = Array.from({ length: 6 }, () => backoff.next())
  assert.deepEqual(delays, [50, 100, 200, 400, 500, 500])
  for (let failure = 0; failure < 10_000; failure++) backoff.next()
  assert.equal(backoff.next(), 500)
  assert.equal(backoff.failures, 10_007)
})

test('reset begins again; the minimum always holds', () => {
  const backoff = createBackoff({ baseMs: 100, minMs: 20, random: () => 0 })
  assert.equal(backoff.next(), 20)
  backoff.next()
  backoff.reset()
  assert.equal(backoff.failures, 0)
})
