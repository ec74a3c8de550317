import { ByteWriter } from '../../base/byte-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { FrameSeal } from './frame-seal.ts'
import { compressedFlag, frameHeadBytes, mayBeCompressed } from './frame-type.ts'

/** Makes bodies smaller for their way. */
export interface BodyPacker {
  /** Bodies of up to this many bytes stay as they are. */
  readonly aboveBytes: number
  /** The body compressed, or undefined if it had better stay as it is. */
  pack(body: Uint8Array): Uint8Array | undefined
}

/**
 * Writes frames one behind the other, to leave together. A frame that cannot be written leaves no trace.
 */
export class FrameWriter {
  /** Compresses large bodies; undefined for none. */
  packer: BodyPacker | undefined
  /** Seals each frame from here on; undefined for none. */
  seal: FrameSeal | undefined
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

  /** What was taken has left, and nobody reads it any more. */
  reuse(): void {
    this.#out.reuse()
  }

  /**
   * Writes one frame.
   * @param body writes what follows the head
   * @returns size of the frame in bytes, as counted for stream credit: before it is compressed, without a seal
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
      const size = out.size - offset
      this.#requireFits(size - 4 + (this.seal?.size ?? 0))
      if (this.packer !== undefined && size - frameHeadBytes > this.packer.aboveBytes) {
        if (mayBeCompressed(type, id)) this.#pack(this.packer, offset, flags)
      }
      this.#finish(offset)
      return size
    } catch (error) {
      out.truncate(offset)
      throw error
    }
  }

  #requireFits(length: number): void {
    if (length <= this.#maxFrameBytes) return
    throw new CoveyError(
      'MESSAGE_TOO_LARGE',
      `a message of ${length} bytes; the limit is ${this.#maxFrameBytes}`,
      { details: { bytes: length, maxBytes: this.#maxFrameBytes } },
    )
  }

  /** Puts the size of the body and the compressed body in its place, where that is smaller. */
  #pack(packer: BodyPacker, offset: number, flags: number): void {
    const out = this.#out
    const body = out.tail(offset + frameHeadBytes)
    const packed = packer.pack(body)
    if (packed === undefined || packed.length + 4 >= body.length) return
    out.truncate(offset + frameHeadBytes)
    out.u32(body.length)
    out.raw(packed)
    out.patchU8(offset + 5, flags | compressedFlag)
  }

  #finish(offset: number): void {
    const out = this.#out
    const { seal } = this
    if (seal === undefined) return out.patchU32(offset, out.size - offset - 4)
    out.patchU32(offset, out.size - offset - 4 + seal.size)
    out.ensure(seal.size)
    const end = out.position
    seal.seal(out.bytes, end - (out.size - offset), end)
    out.position = end + seal.size
  }
}
