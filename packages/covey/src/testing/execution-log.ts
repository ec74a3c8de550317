/**
 * Counts in memory that threads share how often each call has run: what a server did is known even when it was killed right
 * behind. Calls have numbers from 0; above 255 runs it counts on from 0.
 */
export class ExecutionLog {
  /** Pass it to the server's thread and make another log of it there. */
  readonly shared: SharedArrayBuffer
  readonly #runs: Uint8Array

  /** @param from how many calls there may be, or the memory of a log in another thread */
  constructor(from: number | SharedArrayBuffer) {
    this.shared = typeof from === 'number' ? new SharedArrayBuffer(from) : from
    this.#runs = new Uint8Array(this.shared)
  }

  /** How many calls there may be. */
  get size(): number {
    return this.#runs.length
  }

  /** For the handler to say, first of all: call `number` runs. */
  note(number: number): void {
    Atomics.add(this.#runs, number, 1)
  }

  /** How often call `number` has run. */
  runs(number: number): number {
    return Atomics.load(this.#runs, number)
  }
}
