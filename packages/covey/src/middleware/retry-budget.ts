import type { Clock } from '../base/clock.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** Calls and repetitions are forgotten after so many seconds. */
const seconds = 10
/** The clock is read at every so manieth call, for reading it takes as long as all else that is done for one. A power of two. */
const callsPerLook = 64

/**
 * Keeps the repetitions of calls to one service a small part of the calls, so that a service that is down or overloaded does not get
 * a multiple of its load: of the last 10 seconds `budgetPercent` of the calls, or where those are few, `minPerSecond`.
 * Not the sum of both: at load the share is the whole of it.
 * Source: Finagle's retry budget, which adds the two.
 */
export class RetryBudget {
  readonly #policy: Pick<RetryPolicy, 'budgetPercent' | 'minPerSecond'>
  readonly #clock: Clock
  readonly #calls = new Float64Array(seconds)
  readonly #taken = new Uint32Array(seconds)
  /** Calls since the last look. */
  #recent = 0
  /** The second of the last look. */
  #second: number

  constructor(policy: Pick<RetryPolicy, 'budgetPercent' | 'minPerSecond'>, clock: Clock) {
    this.#policy = policy
    this.#clock = clock
    this.#second = this.#now()
  }

  /** Counts a call, however often it will be sent. */
  count(): void {
    this.#recent += 1
    if (this.#recent % callsPerLook === 0) this.#look()
  }

  /** Whether a call may be repeated now; if so it has been. */
  take(): boolean {
    this.#look()
    if (sum(this.#taken) + 1 > this.#allowed()) return false
    this.#taken[this.#second % seconds]! += 1
    return true
  }

  /** For messages: `100 of 940 calls to users were repeated within 10 s`. */
  describe(to: string): string {
    const calls = Math.round(sum(this.#calls))
    return `${sum(this.#taken)} of ${calls} calls to ${to} were repeated within ${seconds} s`
  }

  #allowed(): number {
    const { budgetPercent, minPerSecond } = this.#policy
    return Math.max((sum(this.#calls) * budgetPercent) / 100, minPerSecond * seconds)
  }

  #now(): number {
    return Math.floor(this.#clock.monotonicMs() / 1_000)
  }

  /** Calls since the last look are spread evenly over the seconds since then; those beyond the window are forgotten. */
  #look(): void {
    const now = this.#now()
    const passed = now - this.#second
    if (passed <= 0) this.#calls[this.#second % seconds]! += this.#recent
    for (let second = Math.max(this.#second, now - seconds) + 1; second <= now; second++) {
      this.#calls[second % seconds] = this.#recent / passed
      this.#taken[second % seconds] = 0
    }
    this.#second = now
    this.#recent = 0
  }
}

function sum(counts: Float64Array | Uint32Array): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
