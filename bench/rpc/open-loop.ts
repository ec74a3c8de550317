import { setTimeout as sleep } from 'node:timers/promises'
import { Histogram } from './histogram.ts'
import type { Figures } from './load.ts'
import { figuresOf, wrongAnswer } from './measure.ts'
import { createPayload, isEcho } from './payload.ts'
import type { BenchClient } from './subject.ts'

export interface OpenLoad {
  /** Calls that begin in a second, whether or not earlier ones were answered. */
  perSecond: number
  seconds: number
}

/** Highest id that fits the 32-bit integers of all subjects, with room above those of `measure`. */
const firstId = 1_000_000_000

/**
 * An open loop: calls begin by the clock, so that a server which stalls is asked on and its whole stall
 * is seen. Those that fell due while a timer slept begin together at its next tick, about 1 ms later;
 * their latency counts from there, for a timer's lateness is no property of the subject.
 */
export async function measureOpen(client: BenchClient, load: OpenLoad): Promise<Figures> {
  const startMs = performance.now()
  const total = Math.round(load.perSecond * load.seconds)
  const latencies = new Histogram()
  const errors: string[] = []
  const calls: Promise<void>[] = []
  while (calls.length < total) {
    await sleep(1)
    const due = Math.min(total, ((performance.now() - startMs) / 1000) * load.perSecond)
    while (calls.length < due) calls.push(callOnce(client, firstId + calls.length))
  }
  await Promise.all(calls)
  return figuresOf(latencies, performance.now() - startMs, errors)

  async function callOnce(client: BenchClient, id: number): Promise<void> {
    const payload = createPayload(id)
    const beginMs = performance.now()
    try {
      const answer = await client.echo!(payload)
      if (!isEcho(payload, answer)) throw wrongAnswer(answer)
    } catch (error) {
      errors.push(String(error))
    }
    latencies.record((performance.now() - beginMs) * 1000)
  }
}
