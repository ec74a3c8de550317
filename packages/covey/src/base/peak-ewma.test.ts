import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { PeakEwma } from './peak-ewma.ts'

test('it jumps up at once and sinks slowly', async () => {
  const clock = new FakeClock()
  const average = new PeakEwma(clock, 10_000)
  assert.equal(average.valueMs, 0)
  average.add(10)
  assert.equal(average.valueMs, 10)
  average.add(500)
  assert.equal(average.valueMs, 500)
  await clock.advance(10_000)
  average.add(10)
  // One decay time: 1/e of the distance is left.
  assert.ok(Math.abs(average.valueMs - (10 + 490 / Math.E)) < 1e-9)
})

test('what nobody asks any more sinks by itself, so that it is asked again', async () => {
  const clock = new FakeClock()
  const average = new PeakEwma(clock, 10_000)
  average.add(50)
  await clock.advance(10_000)
  assert.ok(Math.abs(average.valueMs - 50 / Math.E) < 1e-9)
  await clock.advance(30_000)
  assert.ok(average.valueMs < 1)
  average.add(50)
  assert.equal(average.valueMs, 50)
})
