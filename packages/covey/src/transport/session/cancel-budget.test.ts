import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { CancelBudget } from './cancel-budget.ts'

/** A budget of 100 and a connection whose calls are opened and end as a test likes. */
function bench(max = 100) {
  const clock = new FakeClock()
  const budget = new CancelBudget(clock, max)
  let ended = 0
  const putOffMs = (remainingMs = 60_000) => budget.putOffMs(remainingMs, ended)
  /** A call that its client waits for. */
  const end = () => {
    ended += 1
  }
  const cancel = (openedMs: number, leftMs = 5_000) => {
    ended += 1
    budget.take(openedMs, leftMs, ended)
  }
  /** How many calls of `count` are begun that are given up at once. */
  const flood = (count: number) => {
    let begun = 0
    for (let call = 0; call < count; call++) {
      if (putOffMs() === 0) {
        begun += 1
        cancel(clock.monotonicMs())
      } else {
        ended += 1
        budget.skip()
      }
    }
    return begun
  }
  return { clock, putOffMs, end, cancel, flood, tooMany: () => budget.tooMany() }
}

test('calls that are opened and given up at once are begun no more at some point, until some time is over', async () => {
  const { clock, flood, putOffMs } = bench()
  assert.equal(flood(1_000), 100)
  assert.equal(putOffMs(), 100)
  await clock.advance(99)
  assert.equal(flood(1), 0)
  await clock.advance(2)
  assert.equal(flood(10), 1)
  // As many as places come back, and no more, however long it goes on.
  let begun = 0
  for (let second = 0; second < 100; second++) {
    await clock.advance(1_000)
    begun += flood(1_000)
  }
  assert.ok(begun >= 990 && begun <= 1_000, String(begun))
  await clock.advance(3_600_000)
  assert.equal(flood(1_000), 100)
})

test('a call is put off for as long as it would count, and never beyond half of its time', () => {
  const { flood, putOffMs } = bench()
  flood(100)
  assert.deepEqual(
    [putOffMs(Number.POSITIVE_INFINITY), putOffMs(150), putOffMs(0), putOffMs(-5)],
    [100, 75, 0, 0],
  )
})

test('calls that had been begun already count, but no more than ten seconds', async () => {
  const { clock, cancel, putOffMs } = bench()
  for (let call = 0; call < 150; call++) cancel(clock.monotonicMs())
  await clock.advance(5_099)
  assert.equal(putOffMs(), 100)
  await clock.advance(2)
  assert.equal(putOffMs(), 0)
  for (let call = 0; call < 5_000; call++) cancel(clock.monotonicMs())
  await clock.advance(10_099)
  assert.equal(putOffMs(), 100)
  await clock.advance(2)
  assert.equal(putOffMs(), 0)
})

test('the losers of hedging do not count where they are two thirds or less', () => {
  const { clock, putOffMs, end, cancel } = bench()
  for (let call = 1; call <= 5_000; call++) {
    for (const lose of [true, true, false]) {
      assert.equal(putOffMs(), 0, `call ${call}`)
      if (lose) cancel(clock.monotonicMs())
      else end()
    }
  }
})

test('one call that is waited for is enough for the next ones to be begun', () => {
  const { end, flood } = bench()
  assert.equal(flood(1_000), 100)
  end()
  assert.equal(flood(1_000), 2)
})

test('calls that ran for a while, or whose time ran out, do not count, and earn nothing', async () => {
  const { clock, cancel, putOffMs, flood } = bench()
  const early = Array.from({ length: 500 }, () => clock.monotonicMs())
  await clock.advance(60)
  for (const openedMs of early) cancel(openedMs, 40)
  await clock.advance(40)
  for (const openedMs of early) cancel(openedMs)
  assert.equal(putOffMs(), 0)
  assert.equal(flood(1_000), 100)
  for (const openedMs of early) cancel(openedMs)
  assert.equal(flood(1_000), 0)
})

test('calls of earlier times earn no more than the whole budget', () => {
  const { end, flood } = bench()
  for (let call = 0; call < 10_000; call++) end()
  assert.equal(flood(1_000), 100)
})

test('who goes on by the thousand is too much, and nobody else', async () => {
  const { clock, tooMany } = bench()
  for (let round = 0; round < 3; round++) {
    for (let call = 1; call <= 10_000; call++) assert.equal(tooMany(), false)
    if (round < 2) await clock.advance(10_000)
  }
  assert.equal(tooMany(), true)
})

test('a budget without an end, or of nothing, is one', () => {
  assert.equal(bench(Number.POSITIVE_INFINITY).flood(5_000), 5_000)
  assert.equal(bench(0).flood(5_000), 1)
})
