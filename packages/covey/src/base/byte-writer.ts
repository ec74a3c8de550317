import { type SlabPool, sharedSlabs } from './slab-pool.ts'

const encoder = new TextEncoder()

const nothing = new Uint8Array(0)

const maxCharacterBytes = 4

/** Below this many characters a loop beats the call into the platform's encoder. */
const shortText = 40

/**
 * Bytes being written. What was written and not yet taken is a region of a slab; `take` hands the region out without a copy
 * and never touches it again until `reuse` says that nobody needs it.
 * Offsets are relative to the start of the region.
 */
export class ByteWriter {
  /** The slab. Changes when it is full, so never keep it over a write. */
  bytes: Uint8Array = nothing
  /** Where the next byte goes, in `bytes`. */
  position = 0
  #start = 0
  /** Slabs that are full, with regions that somebody may still read. */
  #full: Uint8Array[] = []
  /** Size of the last region, which is a good guess for the next one. */
  #usual = 0
  readonly #slabs: Pick<SlabPool, 'lend' | 'takeBack'>

  /** @param slabs where memory comes from. Default: what all writers of the process share */
  constructor(slabs: Pick<SlabPool, 'lend' | 'takeBack'> = sharedSlabs) {
    this.#slabs = slabs
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
    this.ensure(text.length)
    if (text.length <= shortText && this.#ascii(text)) return text.length
    let size = 0
    let rest = text
    // Most texts are ASCII or find room; the others ask for more when it is known what their characters take.
    for (;;) {
      const { read, written } = encoder.encodeInto(rest, this.bytes.subarray(this.position))
      this.position += written
      size += written
      if (read === rest.length) return size
      rest = rest.slice(read)
      this.ensure(Math.ceil((rest.length * written) / Math.max(read, 1)) + maxCharacterBytes)
    }
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

  /** Makes room for `count` bytes at `offset`, to be patched; what was written behind it moves. */
  insert(offset: number, count: number): void {
    this.ensure(count)
    const at = this.#start + offset
    if (at < this.position) this.bytes.copyWithin(at + count, at, this.position)
    this.position += count
  }

  /** What was written behind `offset`; changes with the next write. */
  tail(offset: number): Uint8Array {
    return this.bytes.subarray(this.#start + offset, this.position)
  }

  /** Forgets everything behind `offset`. */
  truncate(offset: number): void {
    this.position = this.#start + offset
  }

  /** The bytes written since the last `take`. They will not change any more, until `reuse`. */
  take(): Uint8Array {
    const region = this.bytes.subarray(this.#start, this.position)
    this.#start = this.position
    this.#usual = region.length
    return region
  }

  /** Nothing that was ever taken is needed any more: the memory may be written again, by anybody. */
  reuse(): void {
    for (const slab of this.#full) this.#slabs.takeBack(slab)
    if (this.#full.length > 0) this.#full = []
    if (this.#start < this.position) return
    this.#slabs.takeBack(this.bytes)
    this.bytes = nothing
    this.position = this.#start = 0
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
    const { bytes, size } = this
    const untouched = this.#start === 0 && bytes.length > 0
    // At least twice what is there, so that a large region is not moved again and again.
    const slab = this.#slabs.lend(Math.max(size + count, untouched ? size * 2 : this.#usual))
    slab.set(bytes.subarray(this.#start, this.position))
    if (untouched) this.#slabs.takeBack(bytes)
    else if (bytes.length > 0) this.#full.push(bytes)
    this.bytes = slab
    this.#start = 0
    this.position = size
  }
}
