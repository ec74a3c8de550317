import { u32At } from '../../codec/frame/frame-decoder.ts'
import { compressedFlag, type Frame, mayBeCompressed } from '../../codec/frame/frame-type.ts'
import type { BodyPacker } from '../../codec/frame/frame-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Compression } from '../compression.ts'

/** A body may not be more than this many times its compressed size, … */
const maxRatio = 100
/** … unless it is as small as this, in bytes: text that repeats itself is, and does no harm. */
const freeBytes = 8 * 1024

/** Bodies above this size are inflated beside the event loop: below, the way there costs more than the work. */
const inflateAtOnceBytes = 64 * 1024

/** Compresses bodies above a size, unless the peer would take the result for a bomb. */
export function bodyPacker(compression: Compression, aboveBytes: number): BodyPacker {
  return {
    aboveBytes,
    pack(body) {
      const packed = compression.pack(body)
      return isBomb(body.length, packed.length) ? undefined : packed
    },
  }
}

/** What an inflater needs. */
export interface BodyInflaterOptions {
  readonly compression: Compression
  /** Largest body it makes. */
  readonly maxBytes: number
  /** Takes the frames in the order they came in, with plain bodies. */
  deliver(frame: Frame): void
  /** A body was refused; nothing is delivered any more. */
  fail(error: CoveyError): void
  /** Whether the peer should send no more for now. */
  hold(on: boolean): void
}

/**
 * Inflates the bodies of frames, large ones beside the event loop. Frames behind such a one wait for it, so that all
 * arrive in their order; the peer is not read meanwhile.
 */
export class BodyInflater {
  readonly #options: BodyInflaterOptions
  readonly #waiting: Frame[] = []
  #busy = false
  #stopped = false

  constructor(options: BodyInflaterOptions) {
    this.#options = options
  }

  /** Whether a frame that comes now has to wait. */
  get busy(): boolean {
    return this.#busy
  }

  /**
   * Takes the next frame.
   * @throws CoveyError `PROTOCOL_ERROR` if its body is refused at once
   */
  push(frame: Frame): void {
    if (this.#stopped) return
    if (this.#busy) this.#waiting.push(frame)
    else this.#take(frame)
  }

  /** Lets go of everything that waits. */
  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
  }

  #take(frame: Frame): void {
    const { compression, deliver, hold } = this.#options
    if ((frame.flags & compressedFlag) === 0 || !mayBeCompressed(frame.type, frame.id)) {
      return deliver(frame)
    }
    const packed = frame.bytes.subarray(frame.start + 4, frame.end)
    const size = this.#plainSize(frame, packed.length)
    if (size <= inflateAtOnceBytes) {
      return deliver(withBody(frame, compression.inflate(packed, size)))
    }
    this.#busy = true
    hold(true)
    compression.inflateLater(packed, size).then(
      (body) => this.#goOn(withBody(frame, body)),
      (error) => this.#fail(error),
    )
  }

  #plainSize(frame: Frame, packedBytes: number): number {
    if (frame.end - frame.start < 4) throw refused('its size is missing')
    const size = u32At(frame.bytes, frame.start)
    const { maxBytes } = this.#options
    if (size > maxBytes) throw refused(`${size} bytes; the limit is ${maxBytes}`)
    if (isBomb(size, packedBytes)) {
      throw refused(
        `${packedBytes} bytes would become ${size}, more than ${maxRatio} times as many`,
      )
    }
    return size
  }

  /** Delivers the frame that was waited for and those behind it, up to the next one that takes its time. */
  #goOn(first: Frame): void {
    if (this.#stopped) return
    try {
      this.#options.deliver(first)
      this.#busy = false
      while (!this.#busy && this.#waiting.length > 0) this.#take(this.#waiting.shift()!)
    } catch (error) {
      return this.#fail(error)
    }
    if (!this.#busy && !this.#stopped) this.#options.hold(false)
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.stop()
    this.#options.fail(CoveyError.from(error))
  }
}

function isBomb(plainBytes: number, packedBytes: number): boolean {
  return plainBytes > freeBytes && plainBytes > maxRatio * packedBytes
}

function withBody({ type, flags, id }: Frame, bytes: Uint8Array): Frame {
  return { type, flags: flags & ~compressedFlag, id, bytes, start: 0, end: bytes.length }
}

function refused(why: string): CoveyError {
  return new CoveyError('PROTOCOL_ERROR', `a compressed body is refused: ${why}`)
}
