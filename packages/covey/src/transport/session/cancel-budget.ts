import type { Clock } from '../../base/clock.ts'

/** A call that is given up sooner than this counts, in milliseconds. */
const firstMomentsMs = 100

/** Time over which calls are counted, in milliseconds. */
const windowMs = 10_000

/**
 * Tells a client that opens calls only to give them up at once, each of which costs it two small frames and the server a
 * handler ("rapid reset", CVE-2023-44487). What normal clients do does not count: calls whose time ran out (half of it has
 * to be left), and the losers of hedging: those are half of all calls at most, and two thirds are allowed.
 */
export class CancelBudget {
  readonly #clock: Clock
  readonly #max: number
  #sinceMs = Number.NEGATIVE_INFINITY
  #count = 0
  #openedBefore = 0

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  /**
   * Counts a call that its client gave up while it ran.
   * @param openedMs when it arrived
   * @param remainingMs its time that was left
   * @param opened calls of this connection so far
   * @returns whether the client has gone too far
   */
  exceeded(openedMs: number, remainingMs: number, opened: number): boolean {
    const now = this.#clock.monotonicMs()
    const ageMs = now - openedMs
    if (ageMs >= firstMomentsMs || ageMs > remainingMs) return false
    if (now - this.#sinceMs >= windowMs) {
      this.#sinceMs = now
      this.#count = 0
      this.#openedBefore = opened - 1
    }
    this.#count += 1
    return this.#count > this.#max && 3 * this.#count > 2 * (opened - this.#openedBefore)
  }
}
