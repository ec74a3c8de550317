import { ByteWriter } from '../../base/byte-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { frameHeadBytes } from './frame-type.ts'

/**
 * Writes frames one behind the other, to leave together. A frame that cannot be written leaves no trace.
 */
export class FrameWriter {
  readonly #out: ByteWriter
  #maxFrameBytes: number

  constructor(maxFrameBytes: number, out = new ByteWriter()) {
    this.#maxFrameBytes = maxFrameBytes
    this.#out = out
  }

  /** Largest frame that the peer takes. */
  set maxFrameBytes(value: number) {
    this.#maxFrameBytes = value
  }

  /** Bytes waiting to be taken. */
  get size(): number {
    return this.#out.size
  }

  /** All frames since the last `take`. */
  take(): Uint8Array {
    return this.#out.take()
  }

  /**
   * Writes one frame.
   * @param body writes what follows the head
   * @returns size of the frame in bytes
   * @throws CoveyError `MESSAGE_TOO_LARGE`, or what `body` throws
   */
  frame(type: number, flags: number, id: number, body?: (out: ByteWriter) => void): number {
    const out = this.#out
    const offset = out.size
    out.ensure(frameHeadBytes)
    out.u32(0)
    out.u8(type)
    out.u8(flags)
    out.u32(id)
    try {
      body?.(out)
      return this.#finish(offset)
    } catch (error) {
      out.truncate(offset)
      throw error
    }
  }

  #finish(offset: number): number {
    const length = this.#out.size - offset - 4
    if (length > this.#maxFrameBytes) {
      throw new CoveyError(
        'MESSAGE_TOO_LARGE',
        `a message of ${length} bytes; the limit is ${this.#maxFrameBytes}`,
        { details: { bytes: length, maxBytes: this.#maxFrameBytes } },
      )
    }
    this.#out.patchU32(offset, length)
    return length + 4
  }
}
