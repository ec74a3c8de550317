import type { CoveyError } from '../../error/covey-error.ts'

/** How a stream reaches its connection. */
export interface OutgoingStreamOptions {
  /** Sends one element and returns its size in bytes. */
  send(item: unknown): number
  /** Nothing when the connection takes more now; otherwise resolves when it does. */
  room(): Promise<void> | undefined
}

/**
 * Takes elements from a handler or from a caller's source and sends them, never more ahead of the reader than it granted:
 * the next element is not asked for before there is room for it.
 */
export class OutgoingStream {
  readonly #iterator: AsyncIterator<unknown>
  readonly #options: OutgoingStreamOptions
  readonly #outcome = Promise.withResolvers<void>()
  #windowBytes: number
  #state: 'new' | 'running' | 'waiting' | 'over' = 'new'

  constructor(source: AsyncIterable<unknown>, windowBytes: number, options: OutgoingStreamOptions) {
    this.#iterator = source[Symbol.asyncIterator]()
    this.#windowBytes = windowBytes
    this.#options = options
    // Whoever calls `run` is told; an abort may come before.
    this.#outcome.promise.catch(() => {})
  }

  /** The reader took this many bytes. */
  grant(bytes: number): void {
    this.#windowBytes += bytes
    if (this.#state === 'waiting' && this.#windowBytes > 0) this.#ask()
  }

  /** Ends the stream without waiting for the source, which is left. */
  abort(reason: CoveyError): void {
    this.#fail(reason)
  }

  /**
   * Sends until the source is at its end.
   * Rejects with what the source threw, with why an element could not be sent, or with the reason of `abort`.
   */
  run(): Promise<void> {
    if (this.#state === 'new') this.#ask()
    return this.#outcome.promise
  }

  #ask(): void {
    if (this.#windowBytes <= 0) {
      this.#state = 'waiting'
      return
    }
    this.#state = 'running'
    const room = this.#options.room()
    if (room === undefined) this.#next()
    else void room.then(() => this.#next())
  }

  #next(): void {
    if (this.#state === 'over') return
    try {
      this.#iterator.next().then(
        (step) => this.#onStep(step),
        (error) => this.#end(error),
      )
    } catch (error) {
      this.#end(error)
    }
  }

  #onStep(step: IteratorResult<unknown>): void {
    if (this.#state === 'over') return
    if (step.done) {
      this.#state = 'over'
      return this.#outcome.resolve()
    }
    // A thousand streams that were told of the same room: it may be taken by now.
    const room = this.#options.room()
    if (room === undefined) this.#send(step.value)
    else void room.then(() => this.#onStep(step))
  }

  #send(item: unknown): void {
    try {
      // A reader in this process grants more while the element is handed over.
      const bytes = this.#options.send(item)
      this.#windowBytes -= bytes
    } catch (error) {
      return this.#fail(error)
    }
    this.#ask()
  }

  /** The source is at its end by its own doing. */
  #end(error: unknown): void {
    this.#state = 'over'
    this.#outcome.reject(error)
  }

  /** It ends for another reason: let the source clean up; it has nobody left to tell a failure to. */
  #fail(error: unknown): void {
    if (this.#state === 'over') return
    this.#end(error)
    void leave(this.#iterator)
  }
}

async function leave(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.(undefined)
  } catch {
    // Said above: nobody is left to tell.
  }
}

/** Ends a stream that nobody wants any more. */
export function leaveStream(stream: unknown): void {
  void leave((stream as AsyncIterable<unknown>)[Symbol.asyncIterator]())
}
