import { afterReading } from '../../base/after-reading.ts'
import type { Clock } from '../../base/clock.ts'

/** A body that is being written: a request or an answer of `node:http`. */
export interface WritableBody {
  write(bytes: Uint8Array | string): boolean
  readonly writableNeedDrain: boolean
  readonly destroyed: boolean
  once(event: 'drain' | 'close', run: () => void): unknown
  off(event: 'drain' | 'close', run: () => void): unknown
}

/** How long a peer may take nothing of what is written for it. */
export interface Patience {
  readonly clock: Clock
  /** Time for what is queued to leave, in milliseconds. */
  readonly slowReaderMs: number
  /** It is over. */
  onSlow(): void
}

/** What waits is written at once when it is this large, in bytes. */
const batchBytes = 64 * 1024

/** Lets the parts of one turn leave in one chunk. */
export class BodyWriter {
  readonly #target: WritableBody
  readonly #size: () => number
  readonly #take: () => Uint8Array | string
  readonly #patience: Patience
  #soon = false

  /**
   * @param size of what waits
   * @param take hands it over
   * @param patience with a peer that is waited for
   */
  constructor(
    target: WritableBody,
    size: () => number,
    take: () => Uint8Array | string,
    patience: Patience,
  ) {
    this.#target = target
    this.#size = size
    this.#take = take
    this.#patience = patience
  }

  /** Something waits now. */
  flushSoon(): void {
    if (this.#soon) return
    this.#soon = true
    setImmediate(() => {
      this.#soon = false
      this.flush()
    })
  }

  flush(): void {
    if (this.#size() > 0 && !this.#target.destroyed) this.#target.write(this.#take())
  }

  /** Nothing when the body takes more now; otherwise resolves when it does, or will take nothing any more. */
  room(): Promise<void> | undefined {
    if (this.#size() >= batchBytes) this.flush()
    const target = this.#target
    if (!target.writableNeedDrain || target.destroyed) return undefined
    const { clock, slowReaderMs, onSlow } = this.#patience
    return new Promise((resolve) => {
      const timer = afterReading(clock, slowReaderMs, onSlow)
      const done = () => {
        timer.stop()
        target.off('drain', done)
        target.off('close', done)
        resolve()
      }
      target.once('drain', done)
      target.once('close', done)
    })
  }
}
