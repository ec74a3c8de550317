import type { Clock } from '../../base/clock.ts'

const windowMs = 60_000
const maxFailures = 5

/** Lets five logins a minute fail; after that none is looked at until the oldest failure is a minute ago. */
export class LoginLimiter {
  readonly #clock: Clock
  #failedMs: number[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until the next try is looked at; 0 when it is now. */
  waitMs(): number {
    const nowMs = this.#clock.monotonicMs()
    this.#failedMs = this.#failedMs.filter((atMs) => nowMs - atMs < windowMs)
    const [oldest] = this.#failedMs
    return oldest === undefined || this.#failedMs.length < maxFailures
      ? 0
      : oldest + windowMs - nowMs
  }

  fail(): void {
    this.#failedMs.push(this.#clock.monotonicMs())
  }
}
