import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { LoopWatch } from './loop-watch.ts'

function fixture() {
  const clock = new FakeClock()
  const loop = { beats: 0 }
  const watch = new LoopWatch(() => loop.beats, clock)
  /** Looks every 100 ms, as the thread does. */
  const lookFor = async (ms: number) => {
    let seenMs = 0
    for (let passedMs = 0; passedMs < ms; passedMs += 100) {
      await clock.advance(100)
      seenMs = watch.stalledMs()
    }
    return seenMs
  }
  return { clock, loop, watch, lookFor }
}

test('a loop that turns does not stand still, however often one looks', async () => {
  const { loop, lookFor } = fixture()
  for (let turn = 0; turn < 20; turn++) {
    loop.beats += 1
    assert.equal(await lookFor(100), 0)
  }
})

test('tells how long a loop has stood still, and forgets it with the next turn', async () => {
  const { loop, lookFor } = fixture()
  assert.equal(await lookFor(700), 700)
  assert.equal(await lookFor(300), 1_000)
  loop.beats += 1
  assert.equal(await lookFor(100), 0)
  assert.equal(await lookFor(500), 500)
})

test('a number that has run over its bounds is a turn like any other', async () => {
  const { loop, lookFor } = fixture()
  loop.beats = 2 ** 31 - 1
  await lookFor(100)
  loop.beats = -(2 ** 31)
  assert.equal(await lookFor(100), 0)
})

test('time in which the watch itself was held up is no fault of the loop', async () => {
  const { clock, loop, watch, lookFor } = fixture()
  loop.beats += 1
  await lookFor(100)
  await clock.advance(60_000)
  assert.equal(watch.stalledMs(), 250)
  loop.beats += 1
  assert.equal(await lookFor(100), 0)
})
