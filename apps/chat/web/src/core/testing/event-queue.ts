/** Values handed from a pusher to one `for await`, in order. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #values: T[] = []
  #error: unknown
  #wake: (() => void) | undefined

  /** @param signal ends the loop with its reason */
  constructor(signal: AbortSignal) {
    signal.addEventListener('abort', () => this.fail(signal.reason), { once: true })
  }

  push(value: T): void {
    this.#values.push(value)
    this.#wake?.()
  }

  /** Ends the loop with an error; what was pushed before is lost, as on a broken connection. */
  fail(error: unknown): void {
    this.#error ??= error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const next = this.#values.shift()
      if (next !== undefined) yield next
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
