import { crc32c } from '../../base/crc32c.ts'
import { sameBytes } from '../../base/same-bytes.ts'

/**
 * The seals of the frames that travel in one direction of a connection: each covers the number of its frame and
 * everything in it, so that a frame which was changed, repeated, left out or put elsewhere does not fit.
 */
export interface FrameSeal {
  /** Size of a seal. */
  readonly size: number
  /** Seals the next frame, `bytes` from `start` to `end`: writes its seal behind it. */
  seal(bytes: Uint8Array, start: number, end: number): void
  /** Whether the bytes behind `end` are the seal of the next frame. */
  fits(bytes: Uint8Array, start: number, end: number): boolean
}

/** Seals against accidents of machines and networks: CRC-32C, 4 bytes. Anybody can make them. */
export function crcSeal(): FrameSeal {
  const count = new FrameCount()
  const sumOf = (bytes: Uint8Array, start: number, end: number) =>
    crc32c(bytes, start, end, crc32c(count.next()))
  return {
    size: 4,
    seal(bytes, start, end) {
      const sum = sumOf(bytes, start, end)
      bytes[end] = sum >>> 24
      bytes[end + 1] = sum >>> 16
      bytes[end + 2] = sum >>> 8
      bytes[end + 3] = sum
    },
    fits(bytes, start, end) {
      const sum = sumOf(bytes, start, end)
      const high = (bytes[end]! << 8) | bytes[end + 1]!
      const low = (bytes[end + 2]! << 8) | bytes[end + 3]!
      return high === sum >>> 16 && low === (sum & 0xffff)
    },
  }
}

const macBytes = 16

/**
 * Seals that only who has the key can make: the first 16 bytes of HMAC-SHA256.
 * @param mac with a key that is used for this direction of this connection and nothing else
 */
export function macSeal(mac: (...pieces: readonly Uint8Array[]) => Uint8Array): FrameSeal {
  const count = new FrameCount()
  const codeOf = (bytes: Uint8Array, start: number, end: number) =>
    mac(count.next(), bytes.subarray(start, end)).subarray(0, macBytes)
  return {
    size: macBytes,
    seal: (bytes, start, end) => bytes.set(codeOf(bytes, start, end), end),
    fits: (bytes, start, end) =>
      sameBytes(codeOf(bytes, start, end), bytes.subarray(end, end + macBytes)),
  }
}

/** Counts frames from 0 as eight bytes, big end first. */
class FrameCount {
  readonly #bytes = new Uint8Array(8)
  #next = 0

  /** The number of the next frame; valid until asked again. */
  next(): Uint8Array {
    const bytes = this.#bytes
    const low = this.#next >>> 0
    bytes[4] = low >>> 24
    bytes[5] = low >>> 16
    bytes[6] = low >>> 8
    bytes[7] = low
    if (this.#next > 0xffffffff) this.#writeHigh(Math.floor(this.#next / 2 ** 32))
    this.#next += 1
    return bytes
  }

  #writeHigh(high: number): void {
    this.#bytes[0] = high >>> 24
    this.#bytes[1] = high >>> 16
    this.#bytes[2] = high >>> 8
    this.#bytes[3] = high
  }
}
