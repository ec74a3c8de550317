const encoder = new TextEncoder()

/** Below this many characters a loop beats the call into the platform's encoder. */
const shortText = 48

/**
 * Bytes being written. What was written and not yet taken is a region of a slab; `take` hands the region
 * out without a copy and never touches it again, so a socket may keep it as long as it likes.
 * Offsets are relative to the start of the region.
 */
export class ByteWriter {
  /** The slab. Changes when it is full, so never keep it over a write. */
  bytes: Uint8Array
  /** Where the next byte goes, in `bytes`. */
  position = 0
  #start = 0
  readonly #slabBytes: number

  /** @param slabBytes memory taken at once. Default 64 KiB. */
  constructor(slabBytes = 64 * 1024) {
    this.#slabBytes = slabBytes
    this.bytes = new Uint8Array(0)
  }

  /** Bytes written and not taken. */
  get size(): number {
    return this.position - this.#start
  }

  /** Makes room for `count` more bytes at `position`. */
  ensure(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(count)
  }

  u8(value: number): void {
    this.ensure(1)
    this.bytes[this.position++] = value
  }

  u16(value: number): void {
    this.ensure(2)
    this.bytes[this.position++] = value >>> 8
    this.bytes[this.position++] = value
  }

  u32(value: number): void {
    this.ensure(4)
    const { bytes, position } = this
    bytes[position] = value >>> 24
    bytes[position + 1] = value >>> 16
    bytes[position + 2] = value >>> 8
    bytes[position + 3] = value
    this.position = position + 4
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length)
    this.bytes.set(bytes, this.position)
    this.position += bytes.length
  }

  /** Writes text as UTF-8 and returns how many bytes it took. Lone surrogates become U+FFFD. */
  text(text: string): number {
    this.ensure(text.length * 3)
    if (text.length <= shortText && this.#ascii(text)) return text.length
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.position))
    this.position += written
    return written
  }

  /** Overwrites four bytes that were written before, at `offset` from the start of the region. */
  patchU32(offset: number, value: number): void {
    const at = this.#start + offset
    this.bytes[at] = value >>> 24
    this.bytes[at + 1] = value >>> 16
    this.bytes[at + 2] = value >>> 8
    this.bytes[at + 3] = value
  }

  /** Overwrites one byte that was written before. */
  patchU8(offset: number, value: number): void {
    this.bytes[this.#start + offset] = value
  }

  /** What was written behind `offset`; changes with the next write. */
  tail(offset: number): Uint8Array {
    return this.bytes.subarray(this.#start + offset, this.position)
  }

  /** Forgets everything behind `offset`. */
  truncate(offset: number): void {
    this.position = this.#start + offset
  }

  /** The bytes written since the last `take`. They will not change any more. */
  take(): Uint8Array {
    const region = this.bytes.subarray(this.#start, this.position)
    this.#start = this.position
    return region
  }

  #ascii(text: string): boolean {
    const { bytes, position } = this
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) return false
      bytes[position + index] = code
    }
    this.position = position + text.length
    return true
  }

  #grow(count: number): void {
    const size = this.size
    const slab = new Uint8Array(Math.max(this.#slabBytes, (size + count) * 2))
    slab.set(this.bytes.subarray(this.#start, this.position))
    this.bytes = slab
    this.#start = 0
    this.position = size
  }
}
