import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectRate } from './connect-rate.ts'

/** How many of so many tries are let through. */
function taken(rate: ConnectRate, group: string, nowMs: number, tries: number): number {
  let count = 0
  for (let index = 0; index < tries; index++) if (rate.take(group, nowMs)) count += 1
  return count
}

test('so many at once, then so many a second, and after a rest as many at once again', () => {
  const rate = new ConnectRate(20, 100)
  assert.equal(taken(rate, 'a', 1_000, 500), 100)
  assert.equal(taken(rate, 'a', 1_049, 10), 0)
  assert.equal(taken(rate, 'a', 1_050, 10), 1)
  assert.equal(taken(rate, 'a', 2_050, 500), 20)
  assert.equal(taken(rate, 'a', 2_050 + 5_000, 500), 100)
})

test('each address has its own, and who is refused waits no longer for it', () => {
  const rate = new ConnectRate(20, 100)
  assert.equal(taken(rate, 'a', 0, 100_000), 100)
  assert.equal(taken(rate, 'b', 0, 500), 100)
  assert.equal(taken(rate, 'a', 50, 1), 1)
})

test('without a limit all are let through', () => {
  const rate = new ConnectRate(Number.POSITIVE_INFINITY, 1)
  assert.equal(taken(rate, 'a', 0, 10_000), 10_000)
})

test('a thousand clients of one address are all back within a second after a restart', () => {
  const rate = new ConnectRate(200, 1_000)
  assert.equal(taken(rate, 'a', 0, 1_000), 1_000)
})

test('addresses are forgotten when they have all again, and never more than 4,096 are known', () => {
  const rate = new ConnectRate(20, 100)
  for (let index = 0; index < 100; index++) rate.take(`a${index}`, 0)
  assert.equal(rate.size, 100)
  rate.take('b', 1_000)
  assert.equal(rate.size, 1)
  for (let index = 0; index < 100_000; index++) rate.take(`c${index}`, 1_001)
  assert.equal(rate.size, 4_096)
})
