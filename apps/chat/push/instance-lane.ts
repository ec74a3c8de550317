import { type Client, type Clock, createBackoff, type Log, sleep } from 'covey'
import type { Delivery, push } from '../contracts/push.ts'
import type { LostPushes } from './lost-pushes.ts'

/** What a lane needs. */
export interface InstanceLaneOptions {
  readonly instance: string
  readonly epoch: string
  readonly push: Pick<Client<typeof push>, 'deliver'>
  readonly clock: Clock
  readonly log: Log
  /** Told of what could not be delivered. */
  readonly lost: LostPushes
  /** Breaks off what is on its way. */
  readonly signal: AbortSignal
}

const maxQueued = 1_000
/** At 24 KB for the longest text this is half of the frame limit. */
const maxBatch = 100
const maxTries = 3

/** The events on their way to one gateway instance: in order, in batches, one at a time. */
export class InstanceLane {
  /** Settles when nothing is left to send. Never rejects. */
  readonly done: Promise<void>
  readonly #options: InstanceLaneOptions
  readonly #onDone: () => void
  #queue: Delivery[]
  #dropped = 0

  /** @param onDone runs at the moment when nothing is left; the lane takes no more then */
  constructor(options: InstanceLaneOptions, first: readonly Delivery[], onDone: () => void) {
    this.#options = options
    this.#queue = first.slice()
    this.#onDone = onDone
    this.done = this.#run()
  }

  /** Adds an event. What is too much is dropped and counted. */
  add(delivery: Delivery): void {
    if (this.#queue.length < maxQueued) this.#queue.push(delivery)
    else this.#dropped += 1
  }

  async #run(): Promise<void> {
    const { signal, log, instance } = this.#options
    while (this.#queue.length > 0 && !signal.aborted) {
      await this.#send(this.#queue.splice(0, maxBatch))
      if (this.#dropped > 0)
        log.warn({ instance, events: this.#dropped }, 'pushes dropped: too many')
      this.#dropped = 0
    }
    this.#onDone()
  }

  async #send(deliveries: Delivery[]): Promise<void> {
    const { instance, epoch, push, clock, lost, signal } = this.#options
    const backoff = createBackoff({ baseMs: 200, maxMs: 1_000 })
    for (;;) {
      try {
        await push.deliver({ epoch, deliveries }, { instance, signal })
        return
      } catch (error) {
        // That gateway has begun a new life; its clients connect and pull anew.
        if (signal.aborted || push.deliver.isError(error, 'STALE_ROUTE')) return
        const waitMs = backoff.next()
        if (backoff.failures >= maxTries) return lost.add(instance, deliveries.length, error)
        await sleep(waitMs, signal, clock).catch(() => {})
      }
    }
  }
}
