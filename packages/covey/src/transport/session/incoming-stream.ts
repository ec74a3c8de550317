import type { CoveyError } from '../../error/covey-error.ts'

/** What a stream does on its connection. */
export interface IncomingStreamEvents {
  /** The reader took this many bytes. */
  onTaken(bytes: number): void
  /** The reader left before the end. */
  onLeft(): void
}

interface Item {
  readonly value: unknown
  readonly bytes: number
}

/** Taken elements are let go of in steps of this many. */
const compactAt = 256

/**
 * Elements as they arrive, for one reader. It holds at most the window that was granted, because the sender
 * stops there until `onTaken` grants more.
 */
export class IncomingStream implements AsyncIterableIterator<unknown> {
  readonly #events: IncomingStreamEvents
  #items: Item[] = []
  #next = 0
  #queuedBytes = 0
  #end: { readonly error: CoveyError | undefined } | undefined
  #waiting: (() => void)[] = []

  constructor(events: IncomingStreamEvents) {
    this.#events = events
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Bytes that arrived and were not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  push(value: unknown, bytes: number): void {
    if (this.#end !== undefined) return
    this.#items.push({ value, bytes })
    this.#queuedBytes += bytes
    this.#wake()
  }

  /** No more elements; what has arrived can still be read, then `error` is thrown if there is one. */
  finish(error?: CoveyError): void {
    this.#end ??= { error }
    this.#wake()
  }

  async next(): Promise<IteratorResult<unknown>> {
    for (;;) {
      const item = this.#take()
      if (item !== undefined) return { done: false, value: item.value }
      if (this.#end !== undefined) return this.#finished(this.#end)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    const early = this.#end === undefined
    this.#end = { error: undefined }
    this.#items = []
    this.#next = 0
    this.#queuedBytes = 0
    if (early) this.#events.onLeft()
    this.#wake()
    return { done: true, value: undefined }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  #take(): Item | undefined {
    const item = this.#items[this.#next]
    if (item === undefined) return undefined
    this.#next += 1
    if (this.#next === this.#items.length || this.#next === compactAt) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    this.#queuedBytes -= item.bytes
    if (this.#end === undefined) this.#events.onTaken(item.bytes)
    return item
  }

  #finished(end: { readonly error: CoveyError | undefined }): IteratorResult<unknown> {
    this.#end = { error: undefined }
    if (end.error !== undefined) throw end.error
    return { done: true, value: undefined }
  }
}
