import type { Clock } from '../../base/clock.ts'

/**
 * The most that counts between two looks, in milliseconds. Whoever looks later was held up as well: the whole process
 * was stopped, or the machine has no time for it, which says nothing against the event loop that is watched.
 */
const maxStepMs = 250

/**
 * Tells how long an event loop has stood still, from a number that changes while it turns. Goes by change and by its
 * own clock, for threads have no clock in common.
 */
export class LoopWatch {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #beats: () => number
  #seen: number
  #lookedMs: number
  #stalledMs = 0

  constructor(beats: () => number, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
    this.#beats = beats
    this.#seen = beats()
    this.#lookedMs = clock.monotonicMs()
  }

  /** Milliseconds since the loop was last seen to turn. To be asked several times a second. */
  stalledMs(): number {
    // Before the clock: if this thread is held up in between, the loop is judged too mildly and not too hard.
    const beats = this.#beats()
    const now = this.#clock.monotonicMs()
    const stepMs = Math.min(now - this.#lookedMs, maxStepMs)
    this.#lookedMs = now
    this.#stalledMs = beats === this.#seen ? this.#stalledMs + stepMs : 0
    this.#seen = beats
    return this.#stalledMs
  }
}
