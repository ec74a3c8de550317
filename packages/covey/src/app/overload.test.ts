import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { health } from '../rpc/health.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { startChildScript } from '../testing/child-script.ts'
import { burner } from '../testing/fixtures/burn-contract.ts'
import { freePort } from '../testing/free-port.ts'

/** Of the processor, for a call. Long enough that what the client needs beside it does not count. */
const costMs = 5
const timeoutMs = 500
/** Calls come for so long; those of the first part only bring the server into its state. */
const surgeMs = 2_500
const settledMs = 1_000
const timesTooMany = 10

interface Outcome {
  /** What it does a second when nobody asks for too much. */
  readonly capacity: number
  /** What it does a second under the surge. */
  readonly goodput: number
  readonly refused: number
  /** Calls that came just after the surge, and those of them that were answered in time. */
  readonly after: number
  readonly goodAfter: number
  /** Of `covey.health`, the longest under the surge. */
  readonly healthMs: number
}

async function measure(admission: boolean): Promise<Outcome> {
  const args = [String(await freePort()), String(admission)]
  await using server = await startChildScript('burn-server.ts', args)
  await using runtime = createRuntime({ registry: 'memory:' })
  const options = { target: server.said, runtime }
  const { burn } = createClient(burner, options)
  const { check } = createClient(health, options)
  const endMs = performance.now() + 1_000
  let done = 0
  for (; performance.now() < endMs; done++) await burn(costMs)
  let good = 0
  let refused = 0
  const calls: Promise<void>[] = []
  const surge = async (sentMs: number) => {
    try {
      await burn(costMs, { timeoutMs })
      if (sentMs >= settledMs) good += 1
    } catch (error) {
      if ((error as CoveyError).code === 'RESOURCE_EXHAUSTED') refused += 1
    }
  }
  let healthMs = 0
  const checkHealth = async () => {
    const askedMs = performance.now()
    await check(undefined, { timeoutMs: 60_000 })
    healthMs = Math.max(healthMs, performance.now() - askedMs)
  }
  const startMs = performance.now()
  let nextCheckMs = settledMs
  for (let sentMs = 0; sentMs < surgeMs; sentMs = performance.now() - startMs) {
    while (calls.length < (sentMs / 1_000) * done * timesTooMany) calls.push(surge(sentMs))
    if (sentMs > nextCheckMs) {
      nextCheckMs += 250
      calls.push(checkHealth())
    }
    await sleep(2)
  }
  await sleep(timeoutMs + 500)
  let goodAfter = 0
  const after = 20
  for (let n = 0; n < after; n++) {
    await burn(costMs, { timeoutMs }).then(
      () => (goodAfter += 1),
      () => sleep(20),
    )
  }
  await Promise.all(calls)
  const goodput = (good * 1_000) / (surgeMs - settledMs)
  return { capacity: done, goodput, refused, after, goodAfter, healthMs }
}

test('at ten times its load a process does what it can, where one without admission does nothing of use', {
  timeout: 110_000,
}, async (context) => {
  const ours = await measure(true)
  const naive = await measure(false)
  context.diagnostic(JSON.stringify({ ours, naive }))
  // In relation to what was measured just before on the same machine, which others use as well.
  assert.ok(ours.goodput > 0.3 * ours.capacity, `${ours.goodput} of ${ours.capacity}`)
  assert.ok(naive.goodput < 0.2 * naive.capacity, `${naive.goodput} of ${naive.capacity}`)
  assert.ok(ours.refused > 0)
  assert.ok(ours.goodAfter > 0.9 * ours.after, `${ours.goodAfter} of ${ours.after} afterwards`)
  assert.ok(ours.healthMs < naive.healthMs, `health: ${ours.healthMs} and ${naive.healthMs} ms`)
})
