import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { UsageMeter } from './process-usage.ts'

test('memory shows at once, processor time from the second measurement on', async () => {
  const clock = new FakeClock()
  const meter = new UsageMeter(clock)
  const first = meter.measure(process.pid)
  assert.equal(first.cpuPercent, null)
  assert.ok(first.memoryBytes! > 10_000_000 && first.memoryBytes! < 4_000_000_000)
  const untilMs = systemClock.monotonicMs() + 200
  while (systemClock.monotonicMs() < untilMs) Math.sqrt(untilMs)
  await clock.advance(100)
  assert.equal(meter.measure(process.pid), first)
  await clock.advance(900)
  const { cpuPercent } = meter.measure(process.pid)
  assert.ok(cpuPercent! >= 5 && cpuPercent! < 200, `${cpuPercent} %`)
  meter.forget(process.pid)
  assert.equal(meter.measure(process.pid).cpuPercent, null)
})

test('a process that does not exist uses nothing', () => {
  const usage = new UsageMeter(new FakeClock()).measure(99_999_999)
  assert.deepEqual(usage, { cpuPercent: null, memoryBytes: null })
})
