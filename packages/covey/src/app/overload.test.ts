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
/** So many wait for their answers when it is measured what the server can do: it always has something to do. */
const callers = 16
/** Calls come for so long; those of the first part only bring the server into its state. */
const surgeMs = 2_500
const settledMs = 1_000
const timesTooMany = 10

interface Outcome {
  /** What it does a second when nobody asks for too much, and so for a second of the processor that it gets. */
  readonly capacity: number
  readonly processorCapacity: number
  /** What it does under the surge, both ways. */
  readonly goodput: number
  readonly processorGoodput: number
  readonly refused: number
  /** Calls that came just after the surge, and those of them that were answered in time. */
  readonly after: number
  readonly goodAfter: number
  /** Of `covey.health`, the longest under the surge. */
  readonly healthMs: number
}

/** Answers, each of which says how many milliseconds of the processor its server has had. */
class Answers {
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY
  count = 0

  add(processorMs: number): void {
    this.count += 1
    this.#first = Math.min(this.#first, processorMs)
    this.#last = Math.max(this.#last, processorMs)
  }

  /** For a second of the processor. */
  get perSecond(): number {
    return this.count < 2 ? 0 : ((this.count - 1) * 1_000) / (this.#last - this.#first)
  }
}

async function measure(admission: boolean): Promise<Outcome> {
  const args = [String(await freePort()), String(admission)]
  await using server = await startChildScript('burn-server.ts', args)
  await using runtime = createRuntime({ registry: 'memory:', retry: { attempts: 1 } })
  const options = { target: server.said, runtime }
  const { burn } = createClient(burner, options)
  const { check } = createClient(health, options)
  const endMs = performance.now() + 1_000
  const peak = new Answers()
  const caller = async () => {
    while (performance.now() < endMs) peak.add(await burn(costMs, { timeoutMs: 60_000 }))
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const good = new Answers()
  let refused = 0
  const calls: Promise<void>[] = []
  const surge = async (sentMs: number) => {
    try {
      const processorMs = await burn(costMs, { timeoutMs })
      if (sentMs >= settledMs) good.add(processorMs)
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
  const perMs = (peak.count * timesTooMany) / 1_000
  const startMs = performance.now()
  let nextCheckMs = settledMs
  for (let sentMs = 0; sentMs < surgeMs; sentMs = performance.now() - startMs) {
    while (calls.length < sentMs * perMs) calls.push(surge(sentMs))
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
  return {
    capacity: peak.count,
    processorCapacity: peak.perSecond,
    goodput: (good.count * 1_000) / (surgeMs - settledMs),
    processorGoodput: good.perSecond,
    refused,
    after,
    goodAfter,
    healthMs,
  }
}

test('at ten times its load a process does what it can, where one without admission does nothing of use', {
  timeout: 110_000,
}, async (context) => {
  const ours = await measure(true)
  const naive = await measure(false)
  context.diagnostic(JSON.stringify({ ours, naive }))
  // What a refusal costs is measured by the benchmark (`refuseUs`); here all of them together take less than a fifth.
  const reached = ours.processorGoodput / ours.processorCapacity
  assert.ok(reached > 0.8, `${reached} of what it can do with the time that it gets`)
  assert.ok(naive.goodput < 0.2 * naive.capacity, `${naive.goodput} of ${naive.capacity}`)
  assert.ok(ours.refused > 0)
  assert.ok(ours.goodAfter > 0.9 * ours.after, `${ours.goodAfter} of ${ours.after} afterwards`)
  assert.ok(ours.healthMs < naive.healthMs, `health: ${ours.healthMs} and ${naive.healthMs} ms`)
})
