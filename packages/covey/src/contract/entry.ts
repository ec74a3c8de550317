import type { Call } from '../call/call.ts'

/** What a batch and its calls have in common. */
export interface BatchScope {
  /** Time for the whole batch in milliseconds; an entry can only shorten it. */
  readonly timeoutMs: number
  /** A call of it begins; it is cancelled at once when the batch is over. */
  opened(call: Call): void
  /** A call of it has ended. */
  closed(call: Call): void
}

/**
 * A call that is not made yet, by `api.get.of(input)`: an entry of a batch, or to be run by itself.
 * @example
 * const entry = api.get.of({ id: '7' })
 * const user = await entry.run()
 */
export class Entry<Output = unknown> {
  /** Its method: `users.get`. */
  readonly path: string
  readonly #begin: (scope?: BatchScope) => Promise<Output>

  constructor(path: string, begin: (scope?: BatchScope) => Promise<Output>) {
    this.path = path
    this.#begin = begin
  }

  /** Makes the call by itself; each time a new one. */
  run(): Promise<Output> {
    return this.#begin()
  }

  /** Makes the call as a part of a batch. */
  runIn(scope: BatchScope): Promise<Output> {
    return this.#begin(scope)
  }
}
