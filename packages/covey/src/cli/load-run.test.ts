import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyHistogram } from '../base/latency-histogram.ts'
import { sleep } from '../base/sleep.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { histogramText, latencyText } from './latency-text.ts'
import { type LoadOptions, runLoad } from './load-run.ts'

function bench(call: (clock: FakeClock) => Promise<unknown>, wishes: Partial<LoadOptions> = {}) {
  const clock = new FakeClock()
  const progress: { seconds: number; perSecond: number; maxMs: number; failed: number }[] = []
  const report = runLoad({
    clock,
    concurrency: 4,
    durationMs: 1_000,
    reportMs: 250,
    signal: new AbortController().signal,
    onProgress: ({ elapsedMs, callsPerSecond: perSecond, latency, failed }) =>
      progress.push({ seconds: elapsedMs / 1_000, perSecond, maxMs: latency.maxMs, failed }),
    call: () => call(clock),
    ...wishes,
  })
  return { clock, progress, report }
}

async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    await clock.advance(5)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('each caller makes its next call when the last one is answered', async () => {
  let most = 0
  let now = 0
  const { clock, report, progress } = bench(async (clock) => {
    now += 1
    most = Math.max(most, now)
    await sleep(10, undefined, clock)
    now -= 1
  })
  await pass(clock, 1_100)
  const { calls, callsPerSecond, latency } = await report
  assert.equal(most, 4)
  assert.equal(calls, 400)
  assert.ok(callsPerSecond > 350 && callsPerSecond <= 401, String(callsPerSecond))
  assert.equal(latency.maxMs, 10)
  assert.ok(progress.length >= 3)
})

test('progress tells of the last moments, not of the whole run', async () => {
  let answerMs = 10
  const { clock, report, progress } = bench((clock) => sleep(answerMs, undefined, clock))
  await pass(clock, 500)
  answerMs = 50
  await pass(clock, 700)
  await report
  const rates = progress.map(({ perSecond }) => Math.round(perSecond / 40) * 40)
  assert.deepEqual([rates[0], rates.at(-1)], [400, 80])
  assert.deepEqual([progress[0]?.maxMs, progress.at(-1)?.maxMs], [10, 50])
  assert.equal(progress[0]?.seconds, 0.25)
})

test('failures are counted by code, slowly, and are no calls', async () => {
  const { clock, report, progress } = bench(() =>
    Promise.reject(new CoveyError('NOT_FOUND', 'no 7')),
  )
  await pass(clock, 1_100)
  const { calls, errors, firstErrors } = await report
  assert.equal(calls, 0)
  assert.ok(errors.get('NOT_FOUND')! <= 400 && errors.get('NOT_FOUND')! >= 100)
  assert.equal(firstErrors.get('NOT_FOUND')?.message, 'no 7')
  assert.ok(progress[2]!.failed > progress[0]!.failed && progress[0]!.failed >= 25)
})

test('a signal ends it early', async () => {
  const stop = new AbortController()
  const { clock, report } = bench((clock) => sleep(10, undefined, clock), { signal: stop.signal })
  await pass(clock, 100)
  stop.abort()
  await pass(clock, 20)
  assert.ok((await report).calls < 60)
})

test('latencies and histograms are for people', () => {
  assert.deepEqual([0.0104, 0.5, 1.2345, 99.96, 2_345].map(latencyText), [
    '10 µs',
    '500 µs',
    '1.23 ms',
    '100 ms',
    '2.35 s',
  ])
  const latency = new LatencyHistogram()
  assert.equal(histogramText(latency), '')
  for (let n = 0; n < 99; n++) latency.record(0.15)
  latency.record(1.5)
  assert.equal(
    histogramText(latency),
    `   ≤ 200 µs   99.0 %  ${'█'.repeat(40)}
   ≤ 500 µs    0.0 %
     ≤ 1 ms    0.0 %
     ≤ 2 ms    1.0 %  ▏
`,
  )
})
