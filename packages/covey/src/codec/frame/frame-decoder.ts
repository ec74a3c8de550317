import { countExternalBytes } from '../../base/external-bytes.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { FrameSeal } from './frame-seal.ts'
import { type Frame, frameHeadBytes } from './frame-type.ts'

/** Bytes of a frame behind its length field, at the least: type, flags, id. */
const minLength = frameHeadBytes - 4

/** Memory that a peer may make us take by the announcement of a large frame alone. */
const trustedBytes = 128 * 1024

/** Frames of this size may be kept in part by the values that are made of them: codecs do not copy large bytes again. */
const ownBytes = 16 * 1024

const nothing = new Uint8Array(0)

/**
 * Cuts a stream of bytes into frames, however the bytes were split on their way. Knows no socket, promise
 * or timer. A length over the limit is refused before anything is allocated for it.
 */
export class FrameDecoder {
  /** May be raised once the handshake has shown that the peer speaks the protocol. */
  maxFrameBytes: number
  /** Set as soon as the frame was read behind which the peer's frames are sealed; undefined while they are not. */
  seal: FrameSeal | undefined
  /** The frame that has begun, as far as it is here: `#have` bytes of it, of `#need` or, while its length is not known, 4. */
  #buffer: Uint8Array = nothing
  #have = 0
  #need = 4
  #stopped = false
  readonly #lent: boolean

  /** @param lent whether what is pushed is overwritten when `push` has returned; small frames are then lent on */
  constructor(maxFrameBytes: number, lent = false) {
    this.maxFrameBytes = maxFrameBytes
    this.#lent = lent
  }

  /** Bytes of a frame that has begun and is not complete. */
  get partialBytes(): number {
    return this.#have
  }

  /** Lets `push` return after the frame it is at, and ignore all later bytes. */
  stop(): void {
    this.#stopped = true
    this.#forget()
  }

  /**
   * Takes the next bytes and hands on each frame that is complete. Unless they are only lent, the bytes are handed over, frames
   * included: nobody may write to them any more.
   * @throws CoveyError `PROTOCOL_ERROR`, `MESSAGE_TOO_LARGE` or `INTEGRITY_FAILED`; the stream cannot be read further then
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    if (this.#stopped) return
    if (!this.#lent && chunk.length >= ownBytes) countExternalBytes(chunk.length)
    const end = chunk.length
    let at = this.#have === 0 ? 0 : this.#complete(chunk, onFrame)
    while (!this.#stopped && end - at >= 4) {
      const next = at + 4 + this.#lengthAt(chunk, at)
      if (next > end) break
      const frame = this.#frameAt(chunk, at, next)
      onFrame(this.#lent && next - at >= ownBytes ? ownFrame(frame) : frame)
      at = next
    }
    if (!this.#stopped && at < end) this.#append(chunk, at, end)
  }

  /** Adds to the frame that has begun and hands it on if that completes it. @returns where the next one begins */
  #complete(chunk: Uint8Array, onFrame: (frame: Frame) => void): number {
    let at = 0
    while (this.#have < this.#need) {
      if (at === chunk.length) return at
      const until = Math.min(chunk.length, at + this.#need - this.#have)
      this.#append(chunk, at, until)
      at = until
    }
    const frame = this.#frameAt(this.#buffer, 0, this.#need)
    this.#forget()
    onFrame(frame)
    return at
  }

  /** Keeps bytes of a frame, in memory of exactly its size unless that would be much before much has arrived. */
  #append(chunk: Uint8Array, from: number, until: number): void {
    const have = this.#have + until - from
    if (this.#have === 0 && have >= 4) this.#need = 4 + this.#lengthAt(chunk, from)
    if (have > this.#buffer.length) this.#grow(have)
    this.#buffer.set(chunk.subarray(from, until), this.#have)
    this.#have = have
    if (have === 4 && this.#need === 4) this.#need = 4 + this.#lengthAt(this.#buffer, 0)
  }

  #grow(have: number): void {
    const grown = new Uint8Array(Math.min(this.#need, Math.max(have * 2, trustedBytes)))
    if (grown.length >= ownBytes) countExternalBytes(grown.length)
    grown.set(this.#buffer.subarray(0, this.#have))
    this.#buffer = grown
  }

  #forget(): void {
    this.#buffer = nothing
    this.#have = 0
    this.#need = 4
  }

  #frameAt(bytes: Uint8Array, at: number, next: number): Frame {
    return {
      type: bytes[at + 4]!,
      flags: bytes[at + 5]!,
      id: u32At(bytes, at + 6),
      bytes,
      start: at + frameHeadBytes,
      end: this.seal === undefined ? next : this.#opened(this.seal, bytes, at, next),
    }
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
        { details: { bytes: length, maxBytes: this.maxFrameBytes } },
      )
    }
    if (length < minLength) throw new CoveyError('PROTOCOL_ERROR', `a frame of ${length} bytes`)
    return length
  }
}

/** The same frame in memory of its own. */
export function ownFrame(frame: Frame): Frame {
  const bytes = frame.bytes.slice(frame.start, frame.end)
  if (bytes.length >= ownBytes) countExternalBytes(bytes.length)
  return { ...frame, bytes, start: 0, end: bytes.length }
}

/** Reads four bytes as an unsigned number, big end first. */
export function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  return bytes[at]! * 0x1000000 + low
}
