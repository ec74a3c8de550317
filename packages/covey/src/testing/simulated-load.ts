import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { MethodRef } from '../call/method-ref.ts'
import { localPeer, type Peer } from '../call/peer.ts'
import { CoveyError } from '../error/covey-error.ts'
import { Admission, admission } from '../middleware/admission.ts'
import { seededRandom } from './random.ts'
import { SimulatedLoop } from './simulated-loop.ts'

const method: MethodRef = {
  service: 'shop',
  name: 'buy',
  path: 'shop.buy',
  kind: 'unary',
  idempotent: false,
}

/** Time that reading a call, beginning it, and answering or refusing it takes beside the handler, in milliseconds. */
const readMs = 0.003
const beginMs = 0.02
const answerMs = 0.005
const refuseMs = 0.002

/** Calls that come whether or not others were answered. */
export interface SimulatedLoad {
  /** From when to when, in milliseconds. */
  readonly fromMs?: number
  readonly untilMs: number
  readonly perSecond: number
  /** Connections that they come over, in turns. Default 4. */
  readonly connections?: number
  /** Name of its connections. Default `c`. */
  readonly name?: string
  /** Time for each of them, in milliseconds. Default 500. */
  readonly deadlineMs?: number
  /** How often each of them calls its own process before it does its work. Default 0. */
  readonly localCalls?: number
  /** Uses `loop.spend` and `loop.wait`. Default: 2 ms of the processor. */
  readonly handler?: (loop: SimulatedLoop) => Promise<unknown>
}

/** What became of the calls of a load. */
export interface SimulatedOutcome {
  /** Those that came. */
  sent: number
  /** Those that were answered in time. */
  good: number
  refused: number
  /** Those that were answered too late, or not begun because it was. */
  late: number
  /** Of good ones, in milliseconds. */
  readonly latencies: number[]
  /** When good ones were sent, in milliseconds. */
  readonly goodAtMs: number[]
  /** What one of those that were refused was told. */
  refusal: CoveyError | undefined
}

/** A server on a simulated event loop, with admission or without. */
export class SimulatedServer {
  readonly loop = new SimulatedLoop()
  readonly gate: Admission | undefined
  readonly #random = seededRandom(7)

  constructor(admitting: boolean, maxWaitMs = 1_000) {
    const { clock, soon } = this.loop
    this.gate = admitting
      ? new Admission({ instance: 'shop-1', maxWaitMs, clock, soon, random: this.#random })
      : undefined
  }

  /** Lets calls come at random times; to be run by `loop.run`. */
  offer(load: SimulatedLoad): SimulatedOutcome {
    const { fromMs = 0, untilMs, perSecond, connections = 4, name = 'c' } = load
    const outcome: SimulatedOutcome = {
      sent: 0,
      good: 0,
      refused: 0,
      late: 0,
      latencies: [],
      goodAtMs: [],
      refusal: undefined,
    }
    const handler = this.#handler(load.handler ?? burnTwo, load.localCalls ?? 0)
    for (let atMs = fromMs; atMs < untilMs; ) {
      const connection = `${name}${String(outcome.sent % connections).padStart(4, '0')}`
      const arrivedMs = atMs
      outcome.sent += 1
      this.loop.arrive(atMs, connection, () => {
        this.#serve(handler, connection, arrivedMs, load, outcome)
      })
      atMs += (-Math.log(1 - this.#random()) * 1_000) / perSecond
    }
    return outcome
  }

  #handler(work: (loop: SimulatedLoop) => Promise<unknown>, localCalls: number): Handler {
    const local = this.#passing(async () => undefined)
    return this.#passing(async (call) => {
      this.loop.spend(beginMs)
      if (call.remainingMs() <= 0) throw new CoveyError('DEADLINE_EXCEEDED', 'too late')
      for (let n = 0; n < localCalls; n++) await local(this.#call(localPeer, call.deadlineMs))
      return work(this.loop)
    })
  }

  /** As the server's stack: through the gate, which hears of all ends. */
  #passing(handler: Handler): Handler {
    const passing = this.gate === undefined ? handler : admission(this.gate)(handler)
    return (call) => {
      const result = passing(call)
      const end = () => this.gate?.ended(call)
      result.then(end, end)
      return result
    }
  }

  #call(peer: Peer, deadlineMs: number): Call {
    const { clock, nowMs: openedMs } = this.loop
    return new Call(method, undefined, { openedMs, deadlineMs, clock, peer })
  }

  #serve(
    handler: Handler,
    connectionId: string,
    arrivedMs: number,
    { deadlineMs = 500 }: SimulatedLoad,
    outcome: SimulatedOutcome,
  ): void {
    const { loop } = this
    loop.spend(readMs)
    const peer = { protocol: 'tcp', address: '', connectionId, identity: undefined }
    handler(this.#call(peer, loop.nowMs + deadlineMs)).then(
      () => {
        loop.spend(answerMs)
        if (loop.nowMs - arrivedMs > deadlineMs) {
          outcome.late += 1
          return
        }
        outcome.good += 1
        outcome.latencies.push(loop.nowMs - arrivedMs)
        outcome.goodAtMs.push(arrivedMs)
      },
      (error: CoveyError) => {
        loop.spend(refuseMs)
        if (error.code !== 'RESOURCE_EXHAUSTED') {
          outcome.late += 1
          return
        }
        outcome.refused += 1
        outcome.refusal = error
      },
    )
  }
}

const burnTwo = async (loop: SimulatedLoop) => loop.spend(2)
