import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from './covey-error.ts'
import { attemptsOf, retryAfterMs } from './retry-hints.ts'

const withDetails = (details: unknown) => new CoveyError('RESOURCE_EXHAUSTED', 'no', { details })

test('what an error says of the next attempt', () => {
  for (const ms of [0, 1.5, -1, 60_000, Number.POSITIVE_INFINITY]) {
    assert.equal(retryAfterMs(withDetails({ retryAfterMs: ms })), ms)
  }
  assert.equal(attemptsOf(withDetails({ attempts: 3 })), 3)
})

test('details of any other form say nothing', () => {
  const inherited = Object.create({ retryAfterMs: 1, attempts: 1 })
  const odd = [undefined, null, 7, 'text', [], {}, inherited, { retryAfterMs: '5', attempts: '2' }]
  for (const details of [...odd, { retryAfterMs: Number.NaN }]) {
    assert.equal(retryAfterMs(withDetails(details)), undefined)
    assert.equal(attemptsOf(withDetails(details)), undefined)
  }
})
