import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedBench } from '../testing/accepted-bench.ts'

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('draining refuses what is new and waits for what runs', async () => {
  const gate = Promise.withResolvers<void>()
  const { newCall, accept, work, seen } = acceptedBench(() => gate.promise)
  await accept(newCall('notify'))
  let drained = false
  const drain = work.drain().then(() => {
    drained = true
  })
  for (const mode of ['notify', 'submit'] as const) {
    await assert.rejects(accept(newCall(mode)), { code: 'DRAINING' })
  }
  await turn()
  assert.deepEqual([drained, seen.begun], [false, 1])
  gate.resolve()
  await drain
  await work.drain()
})

test('draining has a limit; closing breaks off what runs and answers who waits', async () => {
  const { newCall, accept, collect, work, clock, log } = acceptedBench(() => new Promise(() => {}))
  const token = await accept(newCall('submit'))
  const waiting = collect([token], 10_000)
  await accept(newCall('submit'))
  await accept(newCall('notify'))
  const limit = new AbortController()
  const drain = work.drain(limit.signal)
  await turn()
  limit.abort()
  await drain
  assert.equal(work.running, 3)
  await work.close()
  const [broken, ...others] = log.lines.filter(({ level }) => level === 'warn')
  assert.match(
    broken!.message,
    /^accepted calls were still running at the end .* are broken off: 3$/,
  )
  assert.deepEqual(broken!.fields, { running: 3, methods: { 'jobs.run': 3 } })
  assert.deepEqual(others, [])
  const [result] = await waiting
  assert.equal(
    result?.state === 'failed' && result.error.message,
    'the server stopped while it ran',
  )
  assert.equal(work.running, 0)
  await work.drain(AbortSignal.abort())
  await work.close()
  work.forgetResults()
  assert.equal(clock.waiting, 0)
  const lost = log.lines.at(-1)!
  assert.deepEqual([lost.level, lost.fields], ['warn', { results: 1 }])
  assert.match(lost.message, /gone with this instance that nobody has collected: 1$/)
})

test('results that come while it drains have two seconds to be collected by those who do not wait', async () => {
  const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
  const handle = (place: unknown) => gates[Number(place)]?.promise
  const { newCall, accept, collect, work, clock } = acceptedBench(handle)
  const old = await accept(newCall('submit', 7))
  await clock.advance(0)
  const tokens = [await accept(newCall('submit', 0)), await accept(newCall('submit', 1))]
  let drained = false
  const draining = work.drain().then(() => {
    drained = true
  })
  for (const gate of gates) gate.resolve(1)
  await clock.advance(1_900)
  await collect([old])
  await collect([tokens[0]])
  assert.deepEqual([drained, work.running], [false, 0])
  await collect([tokens[1]])
  await draining
  work.forgetResults()
  assert.equal(clock.waiting, 0)
})

test('results that nobody collects hold a drain no longer, nor longer than it may take', async () => {
  const gate = Promise.withResolvers<void>()
  const { newCall, accept, work, clock } = acceptedBench(() => gate.promise)
  await accept(newCall('submit'))
  const endMs = work.drain().then(() => clock.monotonicMs())
  gate.resolve()
  await clock.advance(10_000)
  assert.equal(await endMs, 2_000)
  const limit = new AbortController()
  const again = work.drain(limit.signal)
  limit.abort()
  await again
})

test('a stop with nothing to tell says nothing', async () => {
  const { newCall, accept, collect, work, log } = acceptedBench(async () => 'done')
  await collect([await accept(newCall('submit'))], 1_000)
  await work.drain()
  await work.close()
  work.forgetResults()
  assert.deepEqual(log.lines, [])
})
