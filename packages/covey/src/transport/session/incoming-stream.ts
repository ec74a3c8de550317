import { CoveyError } from '../../error/covey-error.ts'

/** How a stream is bounded, and what it does on its connection. */
export interface IncomingStreamOptions {
  /** Bytes the sender may have on their way to the reader. */
  readonly windowBytes: number
  /**
   * Bytes by which the sender may pass the window and its last element, where it is held back by other means that are not exact.
   * Default 0.
   */
  readonly slackBytes?: number
  /** What all streams of a connection hold. Default: nobody counts. */
  readonly unread?: UnreadItems | undefined
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

/** What an element takes beside its bytes on the wire, at the least: without it a window of empty ones looks like nothing. */
const itemBytes = 64

/** Elements of several streams that arrived and were not taken. */
export interface UnreadItems {
  /** What they take, about. */
  bytes: number
}

/** Taken elements are let go of in steps of this many. */
const compactAt = 256

/**
 * Elements as they arrive, for one reader, on either side of a connection. It holds no more than the window and one element that
 * passed it: the sender is granted more when the reader has taken half a window.
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
  /** Until the end. */
  #unread: UnreadItems | undefined

  constructor(options: IncomingStreamOptions) {
    this.#options = options
    this.#allowedBytes = options.windowBytes
    this.#unread = options.unread
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Bytes that arrived and were not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** What the elements that were not taken take, about. */
  get heldBytes(): number {
    return this.#queuedBytes + (this.#items.length - this.#next) * itemBytes
  }

  /**
   * Takes an element in. Those that were under way when the stream ended are dropped.
   * @param bytes its size on the wire
   * @throws CoveyError `PROTOCOL_ERROR` when the sender sent more than it may
   */
  push(value: unknown, bytes: number): void {
    const { slackBytes = 0 } = this.#options
    if (this.#allowedBytes + slackBytes <= 0) {
      throw new CoveyError('PROTOCOL_ERROR', 'more of a stream than was granted')
    }
    this.#allowedBytes -= bytes
    if (this.#end !== undefined) return
    const reader = this.#readers.shift()
    if (reader === undefined) {
      this.#items.push({ value, bytes })
      this.#queuedBytes += bytes
      if (this.#unread !== undefined) this.#unread.bytes += bytes + itemBytes
      return
    }
    reader.resolve({ done: false, value })
    this.#taken(bytes)
  }

  /** No more elements; what has arrived can still be read, then `error` is thrown if there is one. */
  finish(error?: CoveyError): void {
    this.#end ??= { error }
    this.#release()
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
    if (this.#unread !== undefined) this.#unread.bytes -= item.bytes + itemBytes
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

  /** Nothing more comes, and nobody need ever read what did: it is no matter of the connection any more. */
  #release(): void {
    if (this.#unread !== undefined) this.#unread.bytes -= this.heldBytes
    this.#unread = undefined
  }

  #drop(): void {
    this.#release()
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
