import { CoveyError } from '../../error/covey-error.ts'
import { codecLimits } from '../codec.ts'
import { extension } from './extension.ts'
import { KeyCache } from './key-cache.ts'
import { listOf } from './list-of.ts'
import { shapeLimits, shapeMark, textMark } from './shape-limits.ts'
import { shortText, shortTextBytes } from './short-text.ts'

const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const keys = new KeyCache()
/** Below this a copy costs next to nothing. */
const viewedBytes = 16 * 1024

const float = new DataView(new ArrayBuffer(8))
const floatBytes = new Uint8Array(float.buffer)

/**
 * Reads one MessagePack value that fills `bytes` from `start` to `end`. Nobody may write to `bytes` afterwards: a large
 * `Uint8Array` in the value may be a view of them.
 * @throws CoveyError `PROTOCOL_ERROR`: truncated, trailing bytes, invalid UTF-8, a key `__proto__` or one that is
 * not text, over 64 levels, over 1,000,000 elements
 */
export function decodeMsgpack(
  bytes: Uint8Array,
  start: number,
  end: number,
  shapes?: ShapeReaders,
): unknown {
  const reader = new Reader(bytes, start, end, shapes)
  const value = reader.value(0)
  if (reader.at !== end) throw malformed(`${end - reader.at} bytes behind the value`)
  return value
}

/** Reads the next value of a message. */
export interface ValueReader {
  value(depth: number): unknown
}

/** Reads an object whose keys were told before. */
export interface ObjectReader {
  /** How many values it takes. */
  readonly size: number
  /** @param depth of the values */
  read(reader: ValueReader, depth: number): Record<string, unknown>
}

/** Such objects by number. */
export interface ShapeReaders {
  at(number: number): ObjectReader | undefined
}

function malformed(reason: string): CoveyError {
  return new CoveyError('PROTOCOL_ERROR', `malformed msgpack: ${reason}`)
}

class Reader implements ValueReader {
  at: number
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #shapes: ShapeReaders | undefined
  #elements = 0
  /** Texts that were put into places, by their number. */
  #places: unknown[] | undefined

  constructor(bytes: Uint8Array, start: number, end: number, shapes: ShapeReaders | undefined) {
    this.#shapes = shapes
    this.#bytes = bytes
    this.at = start
    this.#end = end
  }

  value(depth: number): unknown {
    const head = this.#u8()
    if (head <= 0x7f) return head
    if (head >= 0xe0) return head - 0x100
    if (head <= 0x8f) return this.#map(head & 0x0f, depth)
    if (head <= 0x9f) return this.#array(head & 0x0f, depth)
    if (head <= 0xbf) return this.#string(head & 0x1f)
    return this.#wide(head, depth)
  }

  // One branch a type: the table of the MessagePack specification, in its order.
  #wide(head: number, depth: number): unknown {
    switch (head) {
      case 0xc0:
        return null
      case shapeMark:
        return this.#shaped(depth)
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#binary(this.#u8())
      case 0xc5:
        return this.#binary(this.#u16())
      case 0xc6:
        return this.#binary(this.#u32())
      case 0xc7:
        return this.#extension(this.#u8(), depth)
      case 0xc8:
        return this.#extension(this.#u16(), depth)
      case 0xc9:
        return this.#extension(this.#u32(), depth)
      case 0xca:
        return this.#view(4).getFloat32(0)
      case 0xcb:
        return this.#float()
      case 0xcc:
        return this.#u8()
      case 0xcd:
        return this.#u16()
      case 0xce:
        return this.#u32()
      case 0xcf:
        return fit(this.#view(8).getBigUint64(0))
      case 0xd0:
        return (this.#u8() << 24) >> 24
      case 0xd1:
        return (this.#u16() << 16) >> 16
      case 0xd2:
        return this.#u32() | 0
      case 0xd3:
        return fit(this.#view(8).getBigInt64(0))
      case 0xd9:
        return this.#string(this.#u8())
      case 0xda:
        return this.#string(this.#u16())
      case 0xdb:
        return this.#string(this.#u32())
      case 0xdc:
        return this.#array(this.#u16(), depth)
      case 0xdd:
        return this.#array(this.#u32(), depth)
      case 0xde:
        return this.#map(this.#u16(), depth)
      case 0xdf:
        return this.#map(this.#u32(), depth)
      default:
        if (head >= 0xd4 && head <= 0xd8) return this.#extension(1 << (head - 0xd4), depth)
        throw malformed(`unknown type 0x${head.toString(16)}`)
    }
  }

  #array(count: number, depth: number): unknown[] {
    this.#enter(count, 1, depth)
    const array = listOf(count)
    const { length } = array
    for (let index = 0; index < length; index++) array[index] = this.value(depth + 1)
    for (let index = length; index < count; index++) array.push(this.value(depth + 1))
    return array
  }

  #map(count: number, depth: number): Record<string, unknown> {
    this.#enter(count, 2, depth)
    const object: Record<string, unknown> = {}
    for (let index = 0; index < count; index++) {
      const key = this.#key()
      object[key] = this.value(depth + 1)
    }
    return object
  }

  /** An object of a shape, or a text that comes again. */
  #shaped(depth: number): unknown {
    if (this.#shapes === undefined) throw malformed('unknown type 0xc1')
    const low = this.#u8()
    if (low >= textMark.put) return this.#placed(low)
    const number = low < 128 ? low : ((low & 0x7f) << 8) | this.#u8()
    const shape = this.#shapes.at(number)
    if (shape === undefined) throw malformed(`shape ${number} was never announced`)
    this.#enter(shape.size, 1, depth)
    return shape.read(this, depth + 1)
  }

  /** A text that comes again in its message. */
  #placed(code: number): string {
    const place = code & (shapeLimits.textPlaces - 1)
    if (code < textMark.again) return this.#put(place)
    const text = this.#places?.[place]
    if (typeof text !== 'string') throw malformed(`nothing was put into place ${place}`)
    return text
  }

  #put(place: number): string {
    const size = this.#textSize(this.#u8())
    if (size === undefined || size > shapeLimits.maxTextBytes) {
      throw malformed(`no text, or a long one, for place ${place}`)
    }
    const text = this.#string(size)
    this.#places ??= listOf(shapeLimits.textPlaces)
    this.#places[place] = text
    return text
  }

  /** Refuses before anything is allocated: each element takes at least `minBytes`. */
  #enter(count: number, minBytes: number, depth: number): void {
    if (depth >= codecLimits.maxDepth) throw malformed(`nested deeper than ${codecLimits.maxDepth}`)
    if (count * minBytes > this.#end - this.at) throw malformed('truncated')
    this.#elements += count
    if (this.#elements > codecLimits.maxElements) {
      throw malformed(`over ${codecLimits.maxElements} elements`)
    }
  }

  #key(): string {
    const size = this.#textSize(this.#u8())
    if (size === undefined) throw malformed('a map key that is not text')
    const from = this.#skip(size)
    const cached = keys.get(this.#bytes, from, size)
    if (cached !== undefined) return cached
    const key = this.#text(from, size)
    if (key === '__proto__') throw malformed('a map key "__proto__"')
    keys.set(this.#bytes, from, size, key)
    return key
  }

  /** Of a text that begins with `head`; undefined if that is the head of something else. */
  #textSize(head: number): number | undefined {
    if (head >= 0xa0 && head <= 0xbf) return head & 0x1f
    if (head === 0xd9) return this.#u8()
    if (head === 0xda) return this.#u16()
    if (head === 0xdb) return this.#u32()
    return undefined
  }

  #string(size: number): string {
    return this.#text(this.#skip(size), size)
  }

  #text(from: number, size: number): string {
    if (size > shortTextBytes) return this.#utf8(from, size)
    return shortText(this.#bytes, from, size) ?? this.#utf8(from, size)
  }

  #utf8(from: number, size: number): string {
    try {
      return strictText.decode(this.#bytes.subarray(from, from + size))
    } catch {
      throw malformed('text that is not UTF-8')
    }
  }

  /** A copy, so that a few bytes do not keep a whole message; of large ones that are most of their message, a view. */
  #binary(size: number): Uint8Array {
    const from = this.#skip(size)
    const view = this.#bytes.subarray(from, from + size)
    const whole = size >= viewedBytes && size * 2 >= view.buffer.byteLength
    return whole ? new Uint8Array(view.buffer, view.byteOffset, size) : new Uint8Array(view)
  }

  #extension(size: number, depth: number): unknown {
    const type = (this.#u8() << 24) >> 24
    const end = this.at + size
    if (end > this.#end) throw malformed('truncated')
    const value = this.#extensionValue(type, size, depth)
    if (this.at !== end) throw malformed(`extension ${type} of a wrong size`)
    return value
  }

  #extensionValue(type: number, size: number, depth: number): unknown {
    switch (type) {
      case extension.timestamp:
        return this.#timestamp(size)
      case extension.bigint:
        return this.#bigint(size)
      case extension.map:
        return this.#realMap(depth)
      case extension.set:
        return new Set(this.#elementsOf(depth))
      default:
        throw malformed(`unknown extension ${type}`)
    }
  }

  #timestamp(size: number): Date {
    const view = this.#view(size)
    if (size === 4) return new Date(view.getUint32(0) * 1000)
    if (size === 8) {
      const bits = view.getBigUint64(0)
      return dateOf(Number(bits & 0x3ffffffffn), Number(bits >> 34n))
    }
    if (size !== 12) throw malformed('a timestamp of a wrong size')
    return dateOf(Number(view.getBigInt64(4)), view.getUint32(0))
  }

  #bigint(size: number): bigint {
    const digits = this.#string(size)
    if (size > 4096 || !/^-?\d+$/.test(digits)) throw malformed('a bigint that is not digits')
    return BigInt(digits)
  }

  #realMap(depth: number): Map<unknown, unknown> {
    const elements = this.#elementsOf(depth)
    if (elements.length % 2 !== 0) throw malformed('a map with a key but no value')
    const map = new Map<unknown, unknown>()
    for (let index = 0; index < elements.length; index += 2) {
      map.set(elements[index], elements[index + 1])
    }
    return map
  }

  #elementsOf(depth: number): unknown[] {
    const value = this.value(depth + 1)
    if (!Array.isArray(value)) throw malformed('an extension without its array')
    return value
  }

  #skip(size: number): number {
    const from = this.at
    if (from + size > this.#end) throw malformed('truncated')
    this.at = from + size
    return from
  }

  #float(): number {
    const from = this.#skip(8)
    for (let index = 0; index < 8; index++) floatBytes[index] = this.#bytes[from + index]!
    return float.getFloat64(0)
  }

  #view(size: number): DataView {
    const from = this.#skip(size)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + from, size)
  }

  #u8(): number {
    if (this.at >= this.#end) throw malformed('truncated')
    return this.#bytes[this.at++]!
  }

  #u16(): number {
    const from = this.#skip(2)
    return (this.#bytes[from]! << 8) | this.#bytes[from + 1]!
  }

  #u32(): number {
    const from = this.#skip(4)
    const bytes = this.#bytes
    const low = (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
    return bytes[from]! * 0x1000000 + low
  }
}

/** Whole milliseconds are kept, of times before 1970 too: the ones that had passed. */
function dateOf(seconds: number, nanoseconds: number): Date {
  if (nanoseconds > 999_999_999) throw malformed(`a timestamp with ${nanoseconds} nanoseconds`)
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6))
  if (Number.isNaN(date.getTime())) throw malformed(`a timestamp of second ${seconds}`)
  return date
}

/** 64-bit integers become numbers where that loses nothing. */
function fit(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
