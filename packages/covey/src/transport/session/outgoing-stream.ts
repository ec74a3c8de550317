import type { CoveyError } from '../../error/covey-error.ts'

/** How a stream reaches its connection. */
export interface OutgoingStreamOptions {
  /** Sends one element and returns its size in bytes. */
  send(item: unknown): number
  /** Resolves when the connection takes more. */
  room(): Promise<void>
}

/**
 * Takes elements from a handler and sends them, never more ahead of the reader than it granted: the handler
 * is not asked for the next element before there is room for it.
 */
export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown>
  readonly #options: OutgoingStreamOptions
  #windowBytes: number
  #stopped: CoveyError | undefined
  #wake: (() => void) | undefined

  constructor(source: AsyncIterable<unknown>, windowBytes: number, options: OutgoingStreamOptions) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#windowBytes = windowBytes
    this.#options = options
  }

  /** The reader took this many bytes. */
  grant(bytes: number): void {
    this.#windowBytes += bytes
    this.#wake?.()
  }

  /** Ends the stream without waiting for the handler. */
  abort(reason: CoveyError): void {
    this.#stopped ??= reason
    this.#wake?.()
    this.#leave()
  }

  /** Resolves when the handler is done; rejects with what it threw, or with why an element could not be sent. */
  async run(): Promise<void> {
    try {
      await this.#sendAll()
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      await this.#room()
      const step = await Promise.race([this.#iterator.next(), this.#untilStopped()])
      if (this.#stopped !== undefined) throw this.#stopped
      if (step === undefined || step.done) return
      this.#windowBytes -= this.#options.send(step.value)
    }
  }

  /** Lets the handler clean up; it has nobody left to tell a failure to. */
  #leave(): void {
    this.#iterator.return?.(undefined).catch(() => {})
  }

  async #room(): Promise<void> {
    await this.#options.room()
    while (this.#windowBytes <= 0 && this.#stopped === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#stopped !== undefined) throw this.#stopped
  }

  #untilStopped(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (this.#stopped !== undefined) resolve(undefined)
      }
    })
  }
}
