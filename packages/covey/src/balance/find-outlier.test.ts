import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../testing/random.ts'
import { FailureRate } from './failure-rate.ts'
import { findOutlier } from './find-outlier.ts'

function of(calls: number, failed: number) {
  const failures = new FailureRate(0)
  for (let call = 0; call < calls; call++) {
    if (call < failed) failures.countFailure()
    else failures.countAnswer()
  }
  failures.fade(0)
  return { failures }
}

const found = (...all: ReturnType<typeof of>[]) => {
  const outlier = findOutlier(all, 0.1)
  return outlier && all.indexOf(outlier.one)
}

test('the one that fails more than the others, by more than the threshold', () => {
  assert.equal(found(of(200, 0), of(200, 40), of(200, 2)), 1)
  assert.equal(found(of(2_000, 0), of(2_000, 180), of(2_000, 0)), undefined)
  assert.equal(found(of(2_000, 0), of(2_000, 220), of(2_000, 0)), 1)
  const { one, ...rates } = findOutlier([of(100, 1), of(100, 50)], 0.1)!
  assert.deepEqual([one.failures.failed, rates], [50, { rate: 0.5, othersRate: 0.01 }])
})

test('of several, the worst; where all are alike, nobody', () => {
  assert.equal(found(of(200, 60), of(200, 0), of(200, 120), of(200, 0)), 2)
  assert.equal(found(of(200, 200), of(200, 200), of(200, 200)), undefined)
  assert.equal(found(of(200, 40), of(200, 44), of(200, 36)), undefined)
})

test('a few failures, or one instance, say nothing', () => {
  assert.equal(found(of(4, 4), of(100, 0)), undefined)
  assert.equal(found(of(5, 5), of(100, 0)), 0)
  assert.equal(found(of(30, 5), of(30, 0)), undefined)
  assert.equal(found(of(100, 100)), undefined)
  assert.equal(found(of(100, 100), of(0, 0)), undefined)
  assert.equal(found(), undefined)
})

test('what all of them do alike is hardly ever taken for the fault of one', () => {
  const random = seededRandom(11)
  let wrong = 0
  for (const rate of [0.02, 0.1, 0.5]) {
    for (let round = 0; round < 1_000; round++) {
      const all = [64, 64, 64].map((calls) => {
        let failed = 0
        for (let call = 0; call < calls; call++) if (random() < rate) failed += 1
        return of(calls, failed)
      })
      if (found(...all) !== undefined) wrong += 1
    }
  }
  assert.ok(wrong <= 3, `${wrong} of 3,000`)
})
