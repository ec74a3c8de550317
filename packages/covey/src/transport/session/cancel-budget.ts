import type { Clock } from '../../base/clock.ts'

/** A call that is given up sooner than this counts, in milliseconds. */
const firstMomentsMs = 100

/** Time in which an empty budget fills again, in milliseconds. */
const windowMs = 10_000

/** So many times the budget of calls is put off and given up within 10 s before it is too much: their frames cost time as well. */
const putOffPerPlace = 100

/** What a call earns that its client waited for: so two thirds of all may be given up at once. */
const earned = 2

/**
 * Bounds what a client has done for nothing: calls that it opens only to give them up at once, each of which costs it two small
 * frames and the server a handler ("rapid reset", CVE-2023-44487). Each takes one of `max` places, which come back within 10 s. While
 * there is none further calls are put off for as long as they would count, so that those that are given up are never begun.
 *
 * They are not refused, and the connection is not closed, because normal clients get there as well: one that hedges without a delay gives up
 * every call to the slower of two instances. Its other calls there come a little later, and as they are waited for the next ones come at
 * once again. Only who goes on by the thousand is to be thrown out. What does not count are calls whose time ran out (half of it has to be left), and losers of hedging where they are less
 * than two thirds.
 */
export class CancelBudget {
  readonly #clock: Clock
  readonly #max: number
  /** Places; below 0 for calls that had been begun already when there was none left. */
  #left: number
  #filledMs: number
  /** Calls that were given up, and those that were over then for another reason when it was last filled. */
  #givenUp = 0
  #wanted = 0
  /** Calls that were put off and given up since then. */
  #putOff = 0
  #countedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = Math.min(Math.max(max, 1), Number.MAX_SAFE_INTEGER)
    this.#left = this.#max
    this.#filledMs = clock.monotonicMs()
  }

  /**
   * Counts a call that its client gave up.
   * @param openedMs when it arrived
   * @param remainingMs its time that was left
   * @param ended calls of this connection that are over, this one included
   */
  take(openedMs: number, remainingMs: number, ended: number): void {
    this.skip()
    const nowMs = this.#clock.monotonicMs()
    const ageMs = nowMs - openedMs
    if (ageMs >= firstMomentsMs || ageMs > remainingMs) return
    this.#fill(nowMs, ended)
    // No more than a window of debt.
    this.#left = Math.max(this.#left - 1, -this.#max)
  }

  /** Counts a call that its client gave up before it was begun: it cost nothing, and earns nothing. */
  skip(): void {
    this.#givenUp += 1
  }

  /**
   * For how long a call had better not be begun, in milliseconds; 0 if it may be now.
   * @param remainingMs its time
   * @param ended calls of this connection that are over
   */
  putOffMs(remainingMs: number, ended: number): number {
    if (this.#left >= 1) return 0
    this.#fill(this.#clock.monotonicMs(), ended)
    return this.#left >= 1 ? 0 : Math.max(0, Math.min(firstMomentsMs, remainingMs / 2))
  }

  /** Counts a call that was given up when it was put off. @returns whether there are too many of them, so that the client is to go */
  tooMany(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#countedMs >= windowMs) {
      this.#countedMs = nowMs
      this.#putOff = 0
    }
    this.#putOff += 1
    return this.#putOff > putOffPerPlace * this.#max
  }

  #fill(nowMs: number, ended: number): void {
    const wanted = ended - this.#givenUp
    const come = ((nowMs - this.#filledMs) * this.#max) / windowMs
    const left = this.#left + come + earned * (wanted - this.#wanted)
    this.#left = Math.min(left, this.#max)
    this.#filledMs = nowMs
    this.#wanted = wanted
  }
}
