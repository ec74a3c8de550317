/**
 * While a budget is tight a connection gets as many bytes ahead of its peer as this, not `maxQueuedBytes`. At this many a socket of
 * Node tells when they are taken.
 */
export const tightBytes = 64 * 1024

/** What waits for one peer. */
export interface Queued {
  /** Bytes that wait now. */
  readonly queuedBytes: number
  /** What the budget has counted of it. Kept here, so that nothing is to be looked up. */
  countedBytes: number
  /** Since when the peer has taken nothing of it. */
  readonly stillMs: number
  /** Closes the connection. */
  giveUp(reason: string): void
}

/**
 * What waits for all peers of a listener together, bounded: a thousand of them that read nothing hold as little as a few. When half
 * of it is used each connection has to do with {@link tightBytes}, and so much more as one frame may be; when all of
 * it is, those are closed that have taken nothing for longest.
 */
export class SendBudget {
  readonly #maxBytes: number
  readonly #queues = new Set<Queued>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that wait, as far as they have been counted. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether half of it is used. */
  get tight(): boolean {
    return this.#bytes > this.#maxBytes / 2
  }

  /** Counts what waits in a queue; makes room if that is too much. */
  count(queue: Queued): void {
    this.#note(queue, queue.queuedBytes)
    if (this.#bytes > this.#maxBytes) this.#makeRoom(queue)
  }

  /** A queue is gone. */
  leave(queue: Queued): void {
    if (queue.countedBytes > 0) this.#note(queue, 0)
  }

  #note(queue: Queued, bytes: number): void {
    this.#bytes += bytes - queue.countedBytes
    queue.countedBytes = bytes
    if (bytes > 0) this.#queues.add(queue)
    else this.#queues.delete(queue)
  }

  /** Not the one that has just been written to: it is in the middle of that, and may be taken at once. */
  #makeRoom(last: Queued): void {
    // Much may have been taken since it was counted.
    for (const queue of this.#queues) this.#note(queue, queue.queuedBytes)
    while (this.#bytes > this.#maxBytes) {
      const worst = this.#worst(last)
      if (worst === undefined) return
      this.#note(worst, 0)
      worst.giveUp(`${this.#maxBytes} bytes wait for all peers of this listener`)
    }
  }

  /** The one that has taken nothing for longest. */
  #worst(last: Queued): Queued | undefined {
    let worst: Queued | undefined
    for (const queue of this.#queues) {
      if (queue === last) continue
      if (worst === undefined || queue.stillMs < worst.stillMs) worst = queue
    }
    return worst
  }
}
