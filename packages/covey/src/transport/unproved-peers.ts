import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'

/** A connection that was taken although its other end proved no key. */
export interface UnprovedPeer {
  /** What it is to this side. */
  readonly role: 'client' | 'server'
  readonly address: string
  readonly why: string
}

/** Time between two lines of the log, in milliseconds. */
const sayEveryMs = 60_000

/**
 * Counts connections without a proved key, where keys are offered and not demanded yet, and writes to the log how many there are: at
 * once for the first, then each minute, and once when there was none for a minute. So it can be seen when keys may be demanded.
 */
export class UnprovedPeers implements Disposable {
  readonly #clock: Clock
  readonly #log: Log
  #open = 0
  #since = 0
  #last: UnprovedPeer | undefined
  #timer: Timer | undefined

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** @returns to be called when the connection is closed */
  add(peer: UnprovedPeer): () => void {
    this.#open += 1
    this.#since += 1
    this.#last = peer
    if (this.#timer === undefined) {
      this.#warn()
      this.#timer = this.#clock.every(sayEveryMs, () => this.#say())
    }
    let left = false
    return () => {
      if (!left) this.#open -= 1
      left = true
    }
  }

  [Symbol.dispose](): void {
    this.#timer?.stop()
    this.#timer = undefined
  }

  #say(): void {
    if (this.#open > 0 || this.#since > 0) return this.#warn()
    this[Symbol.dispose]()
    this.#log.info(
      {},
      'every connection of the last minute has proved a key; where all processes say so, set covey.keyMode to strict',
    )
  }

  #warn(): void {
    const { role, address, why } = this.#last!
    this.#log.warn(
      { open: this.#open, since: this.#since, role, peer: address, why },
      'connections that proved no key are taken, for covey.keyMode is permissive',
    )
    this.#since = 0
  }
}
