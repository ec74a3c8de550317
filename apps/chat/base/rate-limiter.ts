import type { Clock } from 'covey'

/** How much of something each key may do. */
export interface RateLimit {
  /** Most at once. */
  burst: number
  /** What comes back, per second. */
  perSecond: number
}

/** Less than this is rounding, not waiting. */
const toleranceMs = 0.001

/**
 * A token bucket for each key, kept as one number: the time at which the bucket is full again. Memory is bounded: beyond
 * `maxKeys` the key that was quiet longest is forgotten, which at worst gives that one a full bucket again.
 * Source: the generic cell rate algorithm of ITU-T I.371.
 */
export class RateLimiter {
  readonly #burst: number
  readonly #intervalMs: number
  readonly #clock: Clock
  readonly #maxKeys: number
  // In the order of their last use, the oldest first.
  readonly #fullAtMs = new Map<string, number>()

  constructor({ burst, perSecond }: RateLimit, clock: Clock, maxKeys = 100_000) {
    this.#burst = burst
    this.#intervalMs = 1_000 / perSecond
    this.#clock = clock
    this.#maxKeys = maxKeys
  }

  /** Takes one from the bucket of `key`. 0 if it had one, else the milliseconds until it has. */
  take(key: string): number {
    const nowMs = this.#clock.monotonicMs()
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? nowMs)
    const waitMs = fullAtMs - nowMs - (this.#burst - 1) * this.#intervalMs
    const allowed = waitMs <= toleranceMs
    this.#fullAtMs.delete(key)
    this.#fullAtMs.set(key, allowed ? fullAtMs + this.#intervalMs : fullAtMs)
    this.#forgetOldest()
    return allowed ? 0 : Math.ceil(waitMs)
  }

  /** Gives `key` a full bucket. */
  reset(key: string): void {
    this.#fullAtMs.delete(key)
  }

  #forgetOldest(): void {
    if (this.#fullAtMs.size <= this.#maxKeys) return
    const [oldest] = this.#fullAtMs.keys()
    if (oldest !== undefined) this.#fullAtMs.delete(oldest)
  }
}
