import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from 'covey/testing'
import { RateLimiter } from './rate-limiter.ts'

test('a burst is allowed, then what comes back', async () => {
  const clock = new FakeClock()
  const limiter = new RateLimiter({ burst: 3, perSecond: 2 }, clock)
  assert.deepEqual(
    [1, 2, 3].map(() => limiter.take('a')),
    [0, 0, 0],
  )
  assert.equal(limiter.take('a'), 500)
  assert.equal(limiter.take('b'), 0)
  await clock.advance(499)
  assert.equal(limiter.take('a'), 1)
  await clock.advance(1)
  assert.equal(limiter.take('a'), 0)
  await clock.advance(60_000)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limiter.take('a') > 0),
    [false, false, false, true],
  )
})

test('a reset gives all back', () => {
  const limiter = new RateLimiter({ burst: 1, perSecond: 1 }, new FakeClock())
  limiter.take('a')
  assert.ok(limiter.take('a') > 0)
  limiter.reset('a')
  assert.equal(limiter.take('a'), 0)
})

test('memory is bounded, and the busy keys are those that stay', () => {
  const limiter = new RateLimiter({ burst: 1, perSecond: 1 }, new FakeClock(), 100)
  limiter.take('busy')
  for (let i = 0; i < 1_000; i++) {
    limiter.take(`key ${i}`)
    assert.ok(limiter.take('busy') > 0)
  }
  assert.equal(limiter.take('key 0'), 0)
})
