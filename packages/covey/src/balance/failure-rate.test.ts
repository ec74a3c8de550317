import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailureRate } from './failure-rate.ts'

function count(rate: FailureRate, calls: number, failed = 0): void {
  for (let call = 0; call < calls - failed; call++) rate.countAnswer()
  for (let call = 0; call < failed; call++) rate.countFailure()
}

function near(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) < 0.01 * Math.max(1, expected), `${found}, not ${expected}`)
}

test('calls count when a look is taken, and of many those of the last second or so', () => {
  const rate = new FailureRate(0)
  count(rate, 1_000, 100)
  assert.equal(rate.calls, 0)
  rate.fade(0)
  assert.deepEqual([rate.calls, rate.failed], [1_000, 100])
  rate.fade(1_000)
  near(rate.calls, 368)
  near(rate.failed, 37)
})

test('calls since the last look are taken as spread over the time since then', () => {
  const [often, seldom] = [new FailureRate(0), new FailureRate(0)]
  for (let ms = 10; ms <= 5_000; ms += 10) {
    count(often, 10, 1)
    count(seldom, 10, 1)
    often.fade(ms)
  }
  seldom.fade(5_000)
  near(often.calls, 1_000)
  near(seldom.calls, 993)
  near(seldom.failed / seldom.calls, 0.1)
})

test('where calls are few the last 64 count, however old', () => {
  const rate = new FailureRate(0)
  count(rate, 20, 2)
  rate.fade(1_000)
  assert.deepEqual([rate.calls, rate.failed], [20, 2])
  rate.fade(3_600_000)
  assert.deepEqual([rate.calls, rate.failed], [20, 2])
  count(rate, 500)
  rate.fade(7_200_000)
  near(rate.calls, 64)
  near(rate.failed, 0)
  // Each further one takes the place of an older one.
  for (let second = 1; second <= 32; second++) {
    count(rate, 1, 1)
    rate.fade(7_200_000 + second * 10_000)
  }
  near(rate.calls, 64)
  near(rate.failed, 25.3)
})

test('a clock that goes back changes nothing; what is forgotten is gone', () => {
  const rate = new FailureRate(1_000)
  count(rate, 10, 5)
  rate.fade(0)
  assert.deepEqual([rate.calls, rate.failed], [10, 5])
  count(rate, 10, 5)
  rate.reset(2_000)
  rate.fade(2_000)
  assert.deepEqual([rate.calls, rate.failed], [0, 0])
})
