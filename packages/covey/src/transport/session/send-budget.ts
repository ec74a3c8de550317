/**
 * While a budget is tight a connection gets as many bytes ahead of its peer as this, not `maxQueuedBytes`. At this many a socket of
 * Node tells when they are taken.
 */
export const tightBytes = 64 * 1024

/**
 * When a budget is used up so many are closed that this part of it is left. With less room a line of peers that all take nothing would
 * be let in and closed one by one, a turn of the event loop each, with those that do take what they get in between.
 */
const keptPart = 0.75

/** What waits for one peer. */
export interface Queued {
  /** Bytes that wait now. */
  readonly queuedBytes: number
  /** What the budget has counted of it. Kept here, so that nothing is to be looked up. */
  countedBytes: number
  /** Since when the peer has taken nothing of it. */
  readonly stillMs: number
  /** Closes the connection, whose memory is free when the budget is told that it is gone. */
  giveUp(reason: string): void
  /** Whether it has sent little at a time up to now, and its peer took it. */
  readonly modest: boolean
  /** The budget is no longer used up. */
  onRoom(): void
}

/**
 * What waits for all peers of a listener together, bounded: a thousand of them that read nothing hold as little as a few. When half
 * of it is used each connection has to do with {@link tightBytes} and one frame. When all of it is, those are closed that have taken nothing for
 * longest, and nobody adds anything until their memory is free.
 */
export class SendBudget {
  readonly #maxBytes: number
  readonly #queues = new Set<Queued>()
  /** Those that wait for room, in their order, … */
  readonly #waiting = new Set<Queued>()
  /** … and those that go ahead of them: many that ask for much are not to keep others waiting. */
  readonly #waitingFirst = new Set<Queued>()
  #tellingRoom = false
  #bytes = 0
  /** That part of them that goes with connections that are being closed. */
  #leavingBytes = 0

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

  /** Whether all of it is used. */
  get full(): boolean {
    return this.#bytes > this.#maxBytes
  }

  /** Tells a queue once when it is full no more. */
  wait(queue: Queued): void {
    if (queue.modest) this.#waitingFirst.add(queue)
    else this.#waiting.add(queue)
  }

  /** Counts what waits in a queue; closes others if that is too much. */
  count(queue: Queued): void {
    this.#note(queue)
    if (this.#bytes - this.#leavingBytes > this.#maxBytes) this.#makeRoom(queue)
    else if (this.#waiting.size + this.#waitingFirst.size > 0) this.#tellRoom()
  }

  /** A queue is gone, with what it held. */
  leave(queue: Queued): void {
    const { countedBytes } = queue
    this.#bytes -= countedBytes
    if (!this.#queues.delete(queue)) this.#leavingBytes -= countedBytes
    queue.countedBytes = 0
    this.#waiting.delete(queue)
    this.#waitingFirst.delete(queue)
    this.#tellRoom()
  }

  #note(queue: Queued): void {
    const bytes = queue.queuedBytes
    this.#bytes += bytes - queue.countedBytes
    queue.countedBytes = bytes
    if (bytes > 0) this.#queues.add(queue)
    else this.#queues.delete(queue)
  }

  /** One after the other, as long as there is room: what they send is counted meanwhile. */
  #tellRoom(): void {
    if (this.#tellingRoom || this.full) return
    this.#tellingRoom = true
    for (const line of [this.#waitingFirst, this.#waiting]) {
      for (const queue of line) {
        if (this.full) break
        line.delete(queue)
        queue.onRoom()
      }
    }
    this.#tellingRoom = false
  }

  /** Not the one that has just been written to: it is in the middle of that, and may be taken at once. */
  #makeRoom(last: Queued): void {
    // Much may have been taken since it was counted.
    for (const queue of this.#queues) this.#note(queue)
    if (this.#bytes - this.#leavingBytes <= this.#maxBytes) return
    while (this.#bytes - this.#leavingBytes > this.#maxBytes * keptPart) {
      const worst = this.#worst(last)
      if (worst === undefined) return
      this.#queues.delete(worst)
      this.#leavingBytes += worst.countedBytes
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
