import { CoveyError } from '../../error/covey-error.ts'

/** How a stream is bounded, and what it does on its connection. */
export interface IncomingStreamOptions {
  /** Bytes the sender may have on their way to the reader. */
  readonly windowBytes: number
  /** Largest frame; the last one may pass the window. */
  readonly maxFrameBytes: number
  /** Lets the sender send this many bytes more. */
  grant(bytes: number): void
  /** The reader left before the end. */
  onLeft(): void
}

interface Item {
  readonly value: unknown
  readonly bytes: number
}

interface Reader {
  resolve(step: IteratorResult<unknown>): void
  reject(error: CoveyError): void
}

/** Taken elements are let go of in steps of this many. */
const compactAt = 256

/**
 * Elements as they arrive, for one reader, on either side of a connection. It holds no more than the window and one frame:
 * the sender is granted more when the reader has taken half a window.
 */
export class IncomingStream implements AsyncIterableIterator<unknown> {
  readonly #options: IncomingStreamOptions
  #items: Item[] = []
  #next = 0
  #queuedBytes = 0
  /** Bytes that may still come. */
  #allowedBytes: number
  /** Bytes taken and not granted again. */
  #owedBytes = 0
  #end: { readonly error: CoveyError | undefined } | undefined
  #readers: Reader[] = []

  constructor(options: IncomingStreamOptions) {
    this.#options = options
    this.#allowedBytes = options.windowBytes
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Bytes that arrived and were not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /**
   * Takes an element in. Those that were under way when the stream ended are dropped.
   * @param bytes its size on the wire
   * @throws CoveyError `PROTOCOL_ERROR` when the sender sent more than it may
   */
  push(value: unknown, bytes: number): void {
    this.#allowedBytes -= bytes
    if (this.#allowedBytes + this.#options.maxFrameBytes < 0) {
      throw new CoveyError('PROTOCOL_ERROR', 'more of a stream than was granted')
    }
    if (this.#end !== undefined) return
    const reader = this.#readers.shift()
    if (reader === undefined) {
      this.#items.push({ value, bytes })
      this.#queuedBytes += bytes
      return
    }
    reader.resolve({ done: false, value })
    this.#taken(bytes)
  }

  /** No more elements; what has arrived can still be read, then `error` is thrown if there is one. */
  finish(error?: CoveyError): void {
    this.#end ??= { error }
    this.#dismiss()
  }

  /** No more elements, not even those that have arrived: the reader is told `error` at once. */
  abort(error: CoveyError): void {
    if (this.#end === undefined || this.#queuedBytes > 0) this.#end = { error }
    this.#drop()
    this.#dismiss()
  }

  next(): Promise<IteratorResult<unknown>> {
    const item = this.#items[this.#next]
    if (item !== undefined) {
      this.#shift(item)
      return Promise.resolve({ done: false, value: item.value })
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject })
      this.#dismiss()
    })
  }

  async return(): Promise<IteratorResult<unknown>> {
    const early = this.#end === undefined
    this.#end = { error: undefined }
    this.#drop()
    if (early) this.#options.onLeft()
    this.#dismiss()
    return { done: true, value: undefined }
  }

  #shift(item: Item): void {
    this.#next += 1
    if (this.#next === this.#items.length || this.#next === compactAt) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    this.#queuedBytes -= item.bytes
    this.#taken(item.bytes)
  }

  #taken(bytes: number): void {
    this.#owedBytes += bytes
    if (this.#end !== undefined || this.#owedBytes < this.#options.windowBytes / 2) return
    const grant = this.#owedBytes
    this.#owedBytes = 0
    this.#allowedBytes += grant
    this.#options.grant(grant)
  }

  #drop(): void {
    this.#items = []
    this.#next = 0
    this.#queuedBytes = 0
  }

  /** Tells those who wait that nothing comes any more; the first of them alone is told why. */
  #dismiss(): void {
    if (this.#end === undefined) return
    for (const { resolve, reject } of this.#readers.splice(0)) {
      const { error } = this.#end
      this.#end = { error: undefined }
      if (error === undefined) resolve({ done: true, value: undefined })
      else reject(error)
    }
  }
}
