import type { Writable } from 'node:stream'

/** Bytes that may wait for a slow reader; lines beyond are dropped. */
const maxWaitingBytes = 1_048_576

/**
 * Writes to a terminal or pipe that may be slow or stuck, and never waits for it. What does not fit is dropped and
 * counted, and the count is told once there is room again.
 */
export class Terminal {
  readonly #stream: Writable
  #dropped = 0

  constructor(stream: Writable) {
    this.#stream = stream
    neverBlock(stream)
    stream.on('error', () => {})
    stream.on('drain', () => this.#tellDropped())
  }

  /** Whether a line would be dropped now, so that nobody needs to make it. */
  get full(): boolean {
    return this.#stream.writableLength > maxWaitingBytes
  }

  /** Writes a text with its line end, or counts it as dropped. */
  write(text: string): void {
    if (this.full) {
      this.#dropped += 1
      return
    }
    this.#tellDropped()
    if (this.#stream.writable) this.#stream.write(text)
  }

  /** Counts a line that nobody made because the terminal was full. */
  drop(): void {
    this.#dropped += 1
  }

  /** Resolves when all is written, when the stream is broken, or when `signal` aborts. */
  async flush(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (!this.#stream.writable || signal.aborted) return
    this.#stream.once('error', () => resolve())
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#stream.write('', () => resolve())
    await promise
  }

  #tellDropped(): void {
    if (this.#dropped === 0 || !this.#stream.writable) return
    const dropped = this.#dropped
    this.#dropped = 0
    this.#stream.write(
      `… ${dropped} lines not shown: this terminal is too slow; see the log files\n`,
    )
  }
}

/**
 * Node makes writes to a terminal block, so that Ctrl-S there would stop the supervisor and, once their pipes are full,
 * every process. It offers no public switch for that; the handle of `tty.WriteStream` has one.
 */
function neverBlock(stream: Writable): void {
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (blocking: boolean) => void } }
  handle?.setBlocking?.(false)
}
