import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { CancelBudget } from './cancel-budget.ts'

/** A budget of 100 and a connection whose calls are opened and given up as a test likes. */
function bench() {
  const clock = new FakeClock()
  const budget = new CancelBudget(clock, 100)
  let opened = 0
  const open = () => {
    opened += 1
    return clock.monotonicMs()
  }
  const cancel = (openedMs: number, leftMs = 5_000) => budget.exceeded(openedMs, leftMs, opened)
  return { clock, open, cancel }
}

test('calls that are opened and given up at once are too many at some point', () => {
  const { open, cancel } = bench()
  for (let call = 1; call <= 100; call++) assert.equal(cancel(open()), false, `call ${call}`)
  assert.equal(cancel(open()), true)
})

test('the losers of hedging do not count, even where every call is hedged', () => {
  const { open, cancel } = bench()
  for (let call = 1; call <= 5_000; call++) {
    open()
    assert.equal(cancel(open()), false, `call ${call}`)
  }
})

test('calls that ran for a while, or whose time ran out, do not count', async () => {
  const { clock, open, cancel } = bench()
  const early = Array.from({ length: 500 }, open)
  await clock.advance(60)
  for (const openedMs of early) assert.equal(cancel(openedMs, 40), false)
  await clock.advance(40)
  for (const openedMs of early) assert.equal(cancel(openedMs), false)
})

test('what was ten seconds ago is forgotten', async () => {
  const { clock, open, cancel } = bench()
  for (let round = 0; round < 5; round++) {
    for (let call = 0; call < 100; call++) assert.equal(cancel(open()), false)
    await clock.advance(10_000)
  }
})

test('wanted calls of earlier times earn nothing', async () => {
  const { clock, open, cancel } = bench()
  for (let call = 0; call < 10_000; call++) open()
  cancel(open())
  await clock.advance(10_000)
  let exceeded = 0
  for (let call = 0; call < 150; call++) if (cancel(open())) exceeded += 1
  assert.equal(exceeded, 50)
})
