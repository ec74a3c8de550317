import { Histogram } from './histogram.ts'
import { createPayload, isEcho } from './payload.ts'
import type { EchoClient } from './subject.ts'

/** What one measurement found. Latencies are of whole calls as the caller sees them, in µs. */
export interface Figures {
  callsPerSecond: number
  p50us: number
  p99us: number
}

export interface Load {
  /** How many calls are in flight at any time. */
  concurrency: number
  seconds: number
}

interface Loop {
  readonly client: EchoClient
  readonly endMs: number
  readonly latencies: Histogram
  readonly errors: string[]
}

/** A loop gives up here: a subject that refuses everything would never let the event loop turn. */
const maxErrors = 10

let nextId = 1

/**
 * A closed loop: `concurrency` callers, each of which makes its next call when its last one is
 * answered, on one connection. Every answer is compared with what was sent. Throws when a call
 * failed or an answer was wrong.
 */
export async function measure(client: EchoClient, load: Load): Promise<Figures> {
  const startMs = performance.now()
  const endMs = startMs + load.seconds * 1000
  const loop: Loop = { client, endMs, latencies: new Histogram(), errors: [] }
  await Promise.all(Array.from({ length: load.concurrency }, () => callRepeatedly(loop)))
  const elapsedMs = performance.now() - startMs
  if (loop.errors.length > 0) {
    const { total } = loop.latencies
    throw new Error(`${loop.errors.length} errors after ${total} calls, first: ${loop.errors[0]}`)
  }
  return {
    callsPerSecond: Math.round((loop.latencies.total / elapsedMs) * 1000),
    p50us: loop.latencies.quantile(0.5),
    p99us: loop.latencies.quantile(0.99),
  }
}

/** The end of one call is the start of the next, which saves one reading of the clock per call. */
async function callRepeatedly({ client, endMs, latencies, errors }: Loop): Promise<void> {
  let startMs = performance.now()
  while (startMs < endMs && errors.length < maxErrors) {
    const payload = createPayload(nextId++)
    try {
      const answer = await client.echo(payload)
      if (!isEcho(payload, answer)) throw new Error(`wrong answer: ${JSON.stringify(answer)}`)
    } catch (error) {
      errors.push(String(error))
    }
    const nowMs = performance.now()
    latencies.record((nowMs - startMs) * 1000)
    startMs = nowMs
  }
}
