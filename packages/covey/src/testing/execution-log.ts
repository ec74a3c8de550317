/** Bits of one byte: which attempts have run, and whether one of them has run twice. */
const mostAttempts = 7
const twice = 1 << mostAttempts

/**
 * Counts in memory that threads share how often each call has run: what a server did is known even when it was killed right
 * behind. Calls have numbers from 0; above 255 runs it counts on from 0.
 */
export class ExecutionLog {
  /** Pass it to the server's thread and make another log of it there. */
  readonly shared: SharedArrayBuffer
  readonly #runs: Uint8Array
  readonly #attempts: Uint8Array

  /** @param from how many calls there may be, or the memory of a log in another thread */
  constructor(from: number | SharedArrayBuffer) {
    this.shared = typeof from === 'number' ? new SharedArrayBuffer(2 * from) : from
    const size = this.shared.byteLength / 2
    this.#runs = new Uint8Array(this.shared, 0, size)
    this.#attempts = new Uint8Array(this.shared, size)
  }

  /** How many calls there may be. */
  get size(): number {
    return this.#runs.length
  }

  /**
   * For the handler to say, first of all: call `number` runs.
   * @param attempt `call.attempt`; those from the seventh on count as one
   */
  note(number: number, attempt = 1): void {
    Atomics.add(this.#runs, number, 1)
    const bit = 1 << (Math.min(attempt, mostAttempts) - 1)
    const before = Atomics.or(this.#attempts, number, bit)
    if ((before & bit) !== 0) Atomics.or(this.#attempts, number, twice)
  }

  /** How often call `number` has run. */
  runs(number: number): number {
    return Atomics.load(this.#runs, number)
  }

  /** Whether one attempt of call `number` has run more than once. */
  ranTwice(number: number): boolean {
    return (Atomics.load(this.#attempts, number) & twice) !== 0
  }
}
