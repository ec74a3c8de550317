import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../../error/covey-error.ts'
import { fromProblem, readRetryAfter, retryAfterSeconds } from './problem.ts'

const busy = (retryAfterMs: number) =>
  new CoveyError('RESOURCE_EXHAUSTED', 'busy', { details: { retryAfterMs } })

test('a time to come again is told in whole seconds, never too early', () => {
  assert.equal(retryAfterSeconds(busy(1_500)), 2)
  assert.equal(retryAfterSeconds(busy(0)), 0)
  for (const never of [-1, Number.POSITIVE_INFINITY]) {
    assert.equal(retryAfterSeconds(busy(never)), undefined)
  }
  assert.equal(retryAfterSeconds(new CoveyError('UNAVAILABLE', 'no')), undefined)
})

test('a header says seconds or a date; what is neither says nothing', () => {
  const now = Date.UTC(2026, 0, 1)
  assert.equal(readRetryAfter('2', now), 2_000)
  assert.equal(readRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000)
  assert.equal(readRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now), 0)
  for (const header of [undefined, '', 'soon', '-5x']) {
    assert.equal(readRetryAfter(header, now), undefined)
  }
})

test('what another server or a proxy says is understood as far as it goes', () => {
  const told = fromProblem(429, undefined, 'http://a', 2_000)
  assert.deepEqual(
    [told.code, told.message, told.details, told.remote],
    [
      'RESOURCE_EXHAUSTED',
      'http://a answered HTTP 429 without a reason',
      { retryAfterMs: 2_000 },
      true,
    ],
  )
  assert.equal(fromProblem(503, undefined, 'http://a').details, undefined)
  // A server of ours says it in its details, as it says it everywhere.
  const own = { code: 'RESOURCE_EXHAUSTED', detail: 'busy', details: { retryAfterMs: 70 } }
  assert.deepEqual(fromProblem(429, own, 'http://a', 1_000).details, { retryAfterMs: 70 })
})
