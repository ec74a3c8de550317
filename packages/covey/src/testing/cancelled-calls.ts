import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import type { Client } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { stats } from '../rpc/stats.ts'
import { middle } from './churn.ts'
import { CountingClock } from './counting-clock.ts'
import { until } from './until.ts'

const patience = defineContract('patience', {
  /** Ends when its call does. */
  wait: unary({ timeoutMs: 60_000 }),
  /** Gives one element, and then waits. */
  watch: serverStream({ output: z.number() }),
  alive: unary({ output: z.boolean() }),
})

const service = defineService(patience, {
  wait: (_, call) => new Promise<void>((_resolve, reject) => call.onCancel(reject)),
  async *watch(_, call) {
    yield 1
    await new Promise<void>((_resolve, reject) => call.onCancel(reject))
  },
  alive: () => true,
})

type Api = Client<typeof patience>

/** What is left when all calls were cancelled; everything but `outcomes` should be as at the start, or nothing. */
export interface CancelledCalls {
  /** How often calls ended with each code; `left` of streams that their readers left. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Calls that the client's connection and the server's handlers think are in flight. */
  readonly pending: number
  readonly running: number
  /** Deadlines that are watched, on both sides. */
  readonly deadlines: number
  /** Timers of the clock of both sides, beside those that they had at the start. */
  readonly timers: number
  /** Listeners of a signal that all calls had. */
  readonly listeners: number
  /** What keeps the process alive, beside what did at the start. */
  readonly resources: readonly string[]
  /**
   * How much more was in use behind a third of the calls than before, of the three thirds the middle one: what calls leave behind grows with
   * each of them, while the engine takes or gives back some megabytes now and then (code, text of modules).
   */
  readonly heapBytes: number
}

/** Calls in flight at once. */
const roundSize = 1_000

/** Makes `total` calls that are given up in all the ways there are, over one connection, and tells what is left of them. */
export async function cancelledCalls(total: number): Promise<CancelledCalls> {
  const clock = new CountingClock()
  // A server takes so many calls that are given up at once for an attack, unless it is told otherwise.
  const common = { registry: 'memory:', limits: { maxEarlyCancels: 2 * total }, clock }
  await using serving = createRuntime(common)
  await using calling = createRuntime(common)
  const overrides = { covey: { logLevel: 'silent' } }
  const options = { services: [service], runtime: serving, overrides, ownsProcess: false }
  await using app = createApp({ name: 'patience', ...options })
  await app.start()
  const at = { target: app.address, runtime: calling }
  const api = createClient(patience, at)
  const figures = createClient(stats, at)
  const { signal } = new AbortController()
  const outcomes: Record<string, number> = {}
  const note = (outcome: string) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  for (const way of ways) await way(api, signal, note, roundSize)
  for (const outcome of Object.keys(outcomes)) delete outcomes[outcome]
  await quiet()
  const before = { heapBytes: await heapBytes(), timers: clock.timers, resources: resources() }
  const heaps = [before.heapBytes]
  for (let third = 0; third < 3; third++) {
    for (let round = 0; round < total / 3 / roundSize; round++) {
      await ways[round % ways.length]!(api, signal, note, roundSize)
    }
    await quiet()
    heaps.push(await heapBytes())
  }
  await api.alive()
  const running = async () => {
    const { methods } = await figures.read()
    return methods.reduce((sum, method) => sum + method.running, 0) - 1
  }
  // The last cancels may be under way still.
  await until(async () => (await running()) === 0, 'no handler runs').catch(() => {})
  const left = await running()
  await quiet()
  return {
    outcomes,
    pending: calling.channelTo(app.address, 'patience').pending,
    running: left,
    deadlines: serving.wheel.size + calling.wheel.size,
    timers: clock.timers - before.timers,
    listeners: getEventListeners(signal, 'abort').length,
    resources: beside(resources(), before.resources),
    heapBytes: middle(heaps.slice(1).map((bytes, place) => bytes - heaps[place]!)),
  }
}

type Way = (
  api: Api,
  signal: AbortSignal,
  note: (outcome: string) => void,
  count: number,
) => Promise<void>

const ways: readonly Way[] = [bySignal, byDeadline, byLeaving]

/** The caller gives up. */
async function bySignal(
  api: Api,
  always: AbortSignal,
  note: (outcome: string) => void,
  count: number,
): Promise<void> {
  const abort = new AbortController()
  const signal = AbortSignal.any([always, abort.signal])
  const calls = Array.from({ length: count }, () => noted(api.wait(undefined, { signal }), note))
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort()
  await Promise.all(calls)
}

/** The time is over. */
async function byDeadline(
  api: Api,
  signal: AbortSignal,
  note: (outcome: string) => void,
  count: number,
): Promise<void> {
  const wishes = { signal, timeoutMs: 5 }
  await Promise.all(Array.from({ length: count }, () => noted(api.wait(undefined, wishes), note)))
}

/** The reader of a stream leaves. */
async function byLeaving(
  api: Api,
  signal: AbortSignal,
  note: (outcome: string) => void,
  count: number,
): Promise<void> {
  const read = async () => {
    for await (const _ of api.watch(undefined, { signal })) return note('left')
  }
  await Promise.all(Array.from({ length: count }, read))
}

async function noted(call: Promise<void>, note: (outcome: string) => void): Promise<void> {
  note(
    await call.then(
      () => 'OK',
      (error) => CoveyError.from(error).code,
    ),
  )
}

/** Lets everything end that is about to: wheels stop a turn behind their last entry. */
function quiet(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 100))
}

function resources(): string[] {
  return process.getActiveResourcesInfo()
}

/** Those of a list that are not in another one, each counted. */
function beside(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other]
  return list.filter((name) => {
    const at = left.indexOf(name)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/**
 * What is in use behind forced collections: the least of several, for what one of them lets go (signals that follow others, compiled
 * code) is freed by the next one, in a later turn.
 */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round++) {
    collect()
    least = Math.min(least, process.memoryUsage().heapUsed)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return least
}
