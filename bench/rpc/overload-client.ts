/** `overload-client.ts <port>`: asks an overload server for more and more, as it is told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type CoveyError, createClient, createRuntime } from 'covey'
import { endWithParent, report } from '../child.ts'
import { Histogram } from './histogram.ts'
import { mill } from './overload-contract.ts'

export type OverloadJob =
  /** Sixteen callers, each of which waits for its answer: what the server can do. */
  | { do: 'peak'; seconds: number }
  /** So many calls a second, whether or not others were answered, with so much time for each. */
  | { do: 'surge'; perSecond: number; seconds: number; timeoutMs: number }

/** What became of the calls of a job. */
export interface OverloadFigures {
  sent: number
  /** Calls that were answered in time, that were refused, and all others. */
  good: number
  refused: number
  late: number
  /** Answers in time a second, and refusals, from the end of the first second on until the last call was sent. */
  goodPerSecond: number
  refusedPerSecond: number
  /** Of the calls that were sent in that time, those that were answered in time; 0 to 1. */
  goodShare: number
  /** Of good ones, in milliseconds. */
  p50ms: number
  p99ms: number
}

const callers = 16
/** The state that comes with a load is there by then. */
const settledMs = 1_000
/** Text that makes the input about 100 bytes. */
const text = 'x'.repeat(80)

endWithParent()
const runtime = createRuntime({
  registry: 'memory:',
  connectionsPerInstance: 4,
  // What was refused is what is to be counted.
  retry: { attempts: 1 },
})
const { grind } = createClient(mill, { target: `tcp://127.0.0.1:${process.argv[2]}`, runtime })
await grind({ id: 0, text })
await report({ ready: true })
process.on('message', async (job: OverloadJob) => {
  await report(await (job.do === 'peak' ? peak(job.seconds) : surge(job)))
})

async function peak(seconds: number): Promise<OverloadFigures> {
  const run = new Run(60_000)
  const untilMs = settledMs + seconds * 1_000
  const caller = async () => {
    while (run.elapsedMs < untilMs) await run.call()
  }
  const done = Array.from({ length: callers }, caller)
  await sleep(untilMs)
  run.close()
  await Promise.all(done)
  return run.figures()
}

async function surge(job: Extract<OverloadJob, { do: 'surge' }>): Promise<OverloadFigures> {
  const run = new Run(job.timeoutMs)
  const calls: Promise<void>[] = []
  const total = Math.round(job.perSecond * job.seconds)
  while (calls.length < total) {
    await sleep(1)
    const due = Math.min(total, (run.elapsedMs / 1_000) * job.perSecond)
    while (calls.length < due) calls.push(run.call())
  }
  run.close()
  await Promise.all(calls)
  return run.figures()
}

/** The calls of one job. */
class Run {
  readonly #timeoutMs: number
  readonly #startMs = performance.now()
  readonly #latencies = new Histogram()
  #sent = 0
  #refused = 0
  #late = 0
  /** Of the time that counts: calls that were sent in it, and what became known in it. */
  #sentThen = 0
  #goodOfThem = 0
  #goodThen = 0
  #refusedThen = 0
  #openMs = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  get elapsedMs(): number {
    return performance.now() - this.#startMs
  }

  /** Ends the time that counts. */
  close(): void {
    this.#openMs = this.elapsedMs - settledMs
  }

  get #counts(): boolean {
    return this.#openMs === 0 && this.elapsedMs >= settledMs
  }

  async call(): Promise<void> {
    const sentMs = this.elapsedMs
    const sentThen = this.#counts
    this.#sent++
    if (sentThen) this.#sentThen++
    try {
      await grind({ id: this.#sent, text }, { timeoutMs: this.#timeoutMs })
    } catch (error) {
      if ((error as CoveyError).code === 'RESOURCE_EXHAUSTED') {
        this.#refused++
        if (this.#counts) this.#refusedThen++
      } else this.#late++
      return
    }
    if (sentThen) this.#goodOfThem++
    if (this.#counts) this.#goodThen++
    this.#latencies.record((this.elapsedMs - sentMs) * 1_000)
  }

  figures(): OverloadFigures {
    const latencies = this.#latencies
    return {
      sent: this.#sent,
      good: latencies.total,
      refused: this.#refused,
      late: this.#late,
      goodPerSecond: (this.#goodThen * 1_000) / this.#openMs,
      refusedPerSecond: (this.#refusedThen * 1_000) / this.#openMs,
      goodShare: this.#goodOfThem / Math.max(1, this.#sentThen),
      p50ms: latencies.quantile(0.5) / 1_000,
      p99ms: latencies.quantile(0.99) / 1_000,
    }
  }
}
