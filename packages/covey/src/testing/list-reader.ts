import type { Instance, Registry } from '../discovery/registry.ts'

/** Reads the lists of one watch, one at a time and each within a limit. */
export class ListReader implements AsyncDisposable {
  readonly #lists: AsyncIterator<readonly Instance[]>
  readonly #limitMs: number

  /** @param limitMs how long a list may take, in milliseconds */
  constructor(registry: Registry, service: string, limitMs = 5_000, signal?: AbortSignal) {
    this.#lists = registry.watch(service, signal)[Symbol.asyncIterator]()
    this.#limitMs = limitMs
  }

  /**
   * The next list, or undefined when the watch has ended.
   * @throws Error when none comes in time
   */
  async next(): Promise<readonly Instance[] | undefined> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new Error(`no list within ${this.#limitMs} ms`)),
      this.#limitMs,
    )
    try {
      const { value, done } = await Promise.race([this.#lists.next(), late.promise])
      return done ? undefined : value
    } finally {
      clearTimeout(timer)
    }
  }

  /** Reads on until a list is as wanted, and returns it. */
  async until(wanted: (list: readonly Instance[]) => boolean): Promise<readonly Instance[]> {
    for (;;) {
      const list = await this.next()
      if (list === undefined) throw new Error('the watch has ended')
      if (wanted(list)) return list
    }
  }

  /** Reads on until a list has just these ids. */
  untilIds(...ids: string[]): Promise<readonly Instance[]> {
    return this.until((list) => list.map(({ id }) => id).join() === ids.join())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lists.return?.()
  }
}
