import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { RetryBudget } from './retry-budget.ts'
import { RetryPolicy } from './retry-policy.ts'

function bench(policy = new RetryPolicy()) {
  const clock = new FakeClock()
  const budget = new RetryBudget(policy, clock)
  const count = (calls: number) => {
    for (let call = 0; call < calls; call++) budget.count()
  }
  /** How many calls may be repeated now. */
  const takeAll = () => {
    let taken = 0
    while (budget.take()) taken += 1
    return taken
  }
  return { clock, budget, policy, count, takeAll }
}

test('few calls may be repeated as well: a hundred within 10 seconds', async () => {
  const { clock, count, takeAll } = bench()
  assert.equal(takeAll(), 100)
  count(500)
  assert.equal(takeAll(), 0, 'a tenth of the calls is less, and is not added')
  await clock.advance(9_000)
  assert.equal(takeAll(), 0)
  await clock.advance(1_000)
  assert.equal(takeAll(), 100)
})

test('of many calls a tenth may be repeated, and never more of any 10 seconds', async () => {
  const { clock, count, takeAll } = bench()
  let calls = 0
  let taken = 0
  for (let second = 0; second < 60; second++) {
    count(5_000)
    calls += 5_000
    taken += takeAll()
    assert.ok(taken <= calls / 10, `${taken} of ${calls} in second ${second}`)
    await clock.advance(1_000)
  }
  assert.equal(taken, calls / 10)
})

test('what was called long ago, or not lately, is no reason to repeat much', async () => {
  const { clock, count, takeAll } = bench()
  count(100_000)
  await clock.advance(11_000)
  assert.equal(takeAll(), 100)
  // Nobody looked for an hour: 3,600,000 calls since then are 10,000 of the last 10 seconds.
  const long = bench()
  for (let call = 0; call < 63; call++) long.budget.count()
  await long.clock.advance(3_600_000)
  assert.equal(long.takeAll(), 100)
})

test('calls that were not looked at are spread over the time since the last look', async () => {
  const { clock, count, takeAll } = bench(new RetryPolicy({ budgetPercent: 100, minPerSecond: 0 }))
  count(60)
  await clock.advance(20_000)
  assert.equal(takeAll(), 30)
})

test('shares and floors are those of the policy, at once when it changes', () => {
  const { count, takeAll, policy } = bench(new RetryPolicy({ budgetPercent: 50, minPerSecond: 0 }))
  assert.equal(takeAll(), 0)
  count(10)
  assert.equal(takeAll(), 5)
  policy.change({ budgetPercent: 100 })
  assert.equal(takeAll(), 5)
  policy.change({ budgetPercent: 0, minPerSecond: 2 })
  assert.equal(takeAll(), 10)
  policy.change({ minPerSecond: 0 })
  assert.equal(takeAll(), 0)
})

test('it says in words what was done', () => {
  const { budget, count, takeAll } = bench()
  count(940)
  takeAll()
  assert.equal(budget.describe('users'), '100 of 940 calls to users were repeated within 10 s')
})
