import { Histogram } from './histogram.ts'
import type { Figures, Load } from './load.ts'
import { type PayloadName, payloads } from './payloads.ts'
import type { BenchClient } from './subject.ts'

interface Loop {
  readonly call: (value: unknown) => Promise<unknown>
  readonly payload: PayloadName
  readonly endMs: number
  readonly latencies: Histogram
  readonly errors: string[]
}

/** A loop gives up here: a subject that refuses everything would never let the event loop turn. */
const maxErrors = 10

let nextId = 1

/**
 * A closed loop: `concurrency` callers, each of which makes its next call when its last one is
 * answered. Every answer is compared with what was sent. Throws when a call
 * failed or an answer was wrong.
 */
export async function measure(client: BenchClient, load: Load): Promise<Figures> {
  if (client.measure) return client.measure(load)
  const startMs = performance.now()
  const endMs = startMs + load.seconds * 1000
  const call = echoOf(client, load.payload)
  const { payload } = load
  const loop: Loop = { call, payload, endMs, latencies: new Histogram(), errors: [] }
  await Promise.all(Array.from({ length: load.concurrency }, () => callRepeatedly(loop)))
  return figuresOf(loop.latencies, performance.now() - startMs, loop.errors)
}

/** Throws when there were errors. */
export function figuresOf(latencies: Histogram, elapsedMs: number, errors: string[]): Figures {
  if (errors.length > 0) {
    const { total } = latencies
    throw new Error(`${errors.length} errors after ${total} calls, first: ${errors[0]}`)
  }
  return {
    callsPerSecond: Math.round((latencies.total / elapsedMs) * 1000),
    p50us: latencies.quantile(0.5),
    p99us: latencies.quantile(0.99),
  }
}

/** The end of one call is the start of the next, which saves one reading of the clock per call. */
async function callRepeatedly({ call, payload, endMs, latencies, errors }: Loop): Promise<void> {
  const { create, isEcho } = payloads[payload]
  let startMs = performance.now()
  while (startMs < endMs && errors.length < maxErrors) {
    const value = create(nextId++)
    try {
      const answer = await call(value)
      if (!isEcho(value, answer)) throw wrongAnswer(answer)
    } catch (error) {
      errors.push(String(error))
    }
    const nowMs = performance.now()
    latencies.record((nowMs - startMs) * 1000)
    startMs = nowMs
  }
}

/** The beginning is enough to see what came instead. */
export function wrongAnswer(answer: unknown): Error {
  return new Error(`wrong answer: ${JSON.stringify(answer)?.slice(0, 200)}`)
}

/** A function that calls `client` with payload `name`. Throws when the client cannot take it. */
function echoOf(client: BenchClient, name: PayloadName): (value: unknown) => Promise<unknown> {
  const { method } = payloads[name]
  const call = client[method]?.bind(client)
  if (!call) throw new Error(`this subject has no ${method}`)
  return call as (value: unknown) => Promise<unknown>
}
