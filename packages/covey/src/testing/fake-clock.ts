import type { Clock, Timer } from '../base/clock.ts'

interface Due {
  atMs: number
  readonly order: number
  readonly periodMs: number | undefined
  readonly run: () => void
}

/**
 * A clock that stands still until it is told to go on. Timers run in the order of their time.
 * @example
 * const clock = new FakeClock()
 * clock.after(1000, () => console.log('now'))
 * await clock.advance(1000)
 */
export class FakeClock implements Clock {
  #nowMs: number
  #order = 0
  readonly #startMs: number
  readonly #due = new Set<Due>()

  /** @param startMs wall-clock time at the start, in milliseconds */
  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs
    this.#nowMs = 0
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add(delayMs, undefined, run)
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add(periodMs, periodMs, run)
  }

  /** Timers that have not run. */
  get waiting(): number {
    return this.#due.size
  }

  /**
   * Moves time on by `ms`, running what falls due on the way. Between two timers pending promises get
   * their turn, so that code which awaits and then starts another timer is seen in order.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await settle()
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      if (next.periodMs === undefined) this.#due.delete(next)
      else next.atMs += next.periodMs
      next.run()
      await settle()
    }
    this.#nowMs = endMs
  }

  #add(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const due: Due = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      periodMs,
      run,
    }
    this.#due.add(due)
    return { stop: () => void this.#due.delete(due) }
  }

  #next(endMs: number): Due | undefined {
    let first: Due | undefined
    for (const due of this.#due) {
      if (due.atMs > endMs) continue
      const earlier =
        first === undefined ||
        due.atMs < first.atMs ||
        (due.atMs === first.atMs && due.order < first.order)
      if (earlier) first = due
    }
    return first
  }
}

/** Lets everything run that is ready to. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
