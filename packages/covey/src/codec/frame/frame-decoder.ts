import { CoveyError } from '../../error/covey-error.ts'
import type { FrameSeal } from './frame-seal.ts'
import { type Frame, frameHeadBytes } from './frame-type.ts'

/** Bytes of a frame behind its length field, at the least: type, flags, id. */
const minLength = frameHeadBytes - 4

/**
 * Cuts a stream of bytes into frames, however the bytes were split on their way. Knows no socket, promise
 * or timer. A length over the limit is refused before anything is allocated for it.
 */
export class FrameDecoder {
  /** May be raised once the handshake has shown that the peer speaks the protocol. */
  maxFrameBytes: number
  /** Set as soon as the frame was read behind which the peer's frames are sealed; undefined while they are not. */
  seal: FrameSeal | undefined
  #buffer: Uint8Array = new Uint8Array(0)
  #have = 0
  #stopped = false

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  /** Bytes of a frame that has begun and is not complete. */
  get partialBytes(): number {
    return this.#have
  }

  /** Lets `push` return after the frame it is at, and ignore all later bytes. */
  stop(): void {
    this.#stopped = true
    this.#buffer = new Uint8Array(0)
    this.#have = 0
  }

  /**
   * Takes the next bytes and hands on each frame that is complete. A frame's bytes are only lent: they are
   * valid for as long as `chunk` is.
   * @throws CoveyError `PROTOCOL_ERROR`, `MESSAGE_TOO_LARGE` or `INTEGRITY_FAILED`; the stream cannot be read further then
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    if (this.#stopped) return
    const bytes = this.#have === 0 ? chunk : this.#join(chunk)
    const end = this.#have === 0 ? chunk.length : this.#have
    let at = 0
    while (end - at >= 4) {
      const length = this.#lengthAt(bytes, at)
      const next = at + 4 + length
      if (next > end) break
      onFrame({
        type: bytes[at + 4]!,
        flags: bytes[at + 5]!,
        id: u32At(bytes, at + 6),
        bytes,
        start: at + frameHeadBytes,
        end: this.seal === undefined ? next : this.#opened(this.seal, bytes, at, next),
      })
      if (this.#stopped) return
      at = next
    }
    this.#keep(bytes, at, end)
  }

  /** Where the frame ends and its seal begins, once that fits. */
  #opened(seal: FrameSeal, bytes: Uint8Array, at: number, next: number): number {
    const end = next - seal.size
    if (end - at >= frameHeadBytes && seal.fits(bytes, at, end)) return end
    throw new CoveyError(
      'INTEGRITY_FAILED',
      'the seal of a frame does not fit: it was changed, repeated, left out or moved on its way',
    )
  }

  #lengthAt(bytes: Uint8Array, at: number): number {
    const length = u32At(bytes, at)
    if (length > this.maxFrameBytes) {
      throw new CoveyError(
        'MESSAGE_TOO_LARGE',
        `a frame of ${length} bytes; the limit is ${this.maxFrameBytes}`,
      )
    }
    if (length < minLength) throw new CoveyError('PROTOCOL_ERROR', `a frame of ${length} bytes`)
    return length
  }

  /** Adds to the partial frame. The buffer doubles, so that one-byte chunks cost no more than large ones. */
  #join(chunk: Uint8Array): Uint8Array {
    const size = this.#have + chunk.length
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2))
      grown.set(this.#buffer.subarray(0, this.#have))
      this.#buffer = grown
    }
    this.#buffer.set(chunk, this.#have)
    this.#have = size
    return this.#buffer
  }

  #keep(bytes: Uint8Array, at: number, end: number): void {
    const rest = end - at
    if (bytes === this.#buffer && at === 0) return
    // Always a fresh buffer: frames that were handed out may still lie in the old one.
    this.#buffer = rest === 0 ? new Uint8Array(0) : bytes.slice(at, end)
    this.#have = rest
  }
}

/** Reads four bytes as an unsigned number, big end first. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  return bytes[at]! * 0x1000000 + low
}
