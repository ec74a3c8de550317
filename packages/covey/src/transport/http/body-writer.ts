import { type LeavingBody, type Patience, whenStill } from './when-still.ts'

/** A body that is being written: a request or an answer of `node:http`. */
export interface WritableBody extends LeavingBody {
  write(bytes: Uint8Array | string): boolean
  readonly writableNeedDrain: boolean
  readonly destroyed: boolean
  once(event: 'drain' | 'close', run: () => void): unknown
  off(event: 'drain' | 'close', run: () => void): unknown
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
    return new Promise((resolve) => {
      const timer = whenStill(target, this.#patience)
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
