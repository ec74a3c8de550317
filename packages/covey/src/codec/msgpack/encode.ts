import type { ByteWriter } from '../../base/byte-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { codecLimits } from '../codec.ts'
import { extension } from './extension.ts'
import type { RowTexts } from './row-texts.ts'
import { writeString } from './write-text.ts'

const float = new DataView(new ArrayBuffer(8))
const floatBytes = new Uint8Array(float.buffer)

/**
 * Writes a value as MessagePack. Properties that are undefined are left out, as in JSON; undefined
 * elsewhere becomes nil.
 * @throws CoveyError `UNENCODABLE` for functions, symbols, lone surrogates, and nesting deeper than 64 (cycles)
 */
export function encodeMsgpack(value: unknown, out: ByteWriter, objects?: ObjectWriter): void {
  writeValue(value, out, 0, objects)
}

/** Another form for some plain objects, and for texts that come again. */
export interface ObjectWriter {
  /** Within a list whose rows have texts in common. */
  readonly texts: RowTexts | undefined
  /** Writes the object, which lies at `depth`, or writes nothing and returns false. */
  write(value: Readonly<Record<string, unknown>>, out: ByteWriter, depth: number): boolean
  /** A list begins that lies in no other one; undefined if texts are not to be looked at. */
  startTexts(): RowTexts | undefined
  stopTexts(): void
}

/** Shorter lists are written as they are. */
const minRows = 4
/** Rows after which a list counts as one in which nothing comes again. */
const trialRows = 3

/** Writes a value that lies at `depth` in another one. */
export function writeValue(
  value: unknown,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  switch (typeof value) {
    case 'string':
      if (objects?.texts?.write(value, out)) return
      return writeString(value, out)
    case 'number':
      return writeNumber(value, out)
    case 'boolean':
      return out.u8(value ? 0xc3 : 0xc2)
    case 'undefined':
      return out.u8(0xc0)
    case 'object':
      return value === null ? out.u8(0xc0) : writeObject(value, out, depth, objects)
    case 'bigint':
      return writeBigint(value, out)
    default:
      throw new CoveyError('UNENCODABLE', `a ${typeof value} cannot be sent`)
  }
}

function writeObject(
  value: object,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  if (depth >= codecLimits.maxDepth) {
    throw new CoveyError(
      'UNENCODABLE',
      `nested deeper than ${codecLimits.maxDepth}, or in a circle`,
    )
  }
  if (Array.isArray(value)) return writeArray(value, out, depth, objects)
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    const map = value as Record<string, unknown>
    if (objects?.write(map, out, depth)) return
    return writeMap(map, out, depth, objects)
  }
  if (value instanceof Uint8Array) return writeBinary(value, out)
  if (value instanceof Date) return writeDate(value, out)
  if (value instanceof Map) return writeExtension(extension.map, pairs(value), out, depth, objects)
  if (value instanceof Set) return writeExtension(extension.set, [...value], out, depth, objects)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return writeValue((value as { toJSON(): unknown }).toJSON(), out, depth + 1, objects)
  }
  writeMap(value as Record<string, unknown>, out, depth, objects)
}

function writeArray(
  value: readonly unknown[],
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  const { length } = value
  writeHeader(length, 0x90, 15, 0xdc, out)
  if (objects === undefined) writeItems(value, 0, length, out, depth, objects)
  else if (objects.texts !== undefined) writeInnerRows(value, length, out, depth, objects)
  else if (length < minRows) writeItems(value, 0, length, out, depth, objects)
  else writeRows(value, length, out, depth, objects)
}

function writeItems(
  value: readonly unknown[],
  from: number,
  to: number,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  for (let index = from; index < to; index++) writeValue(value[index], out, depth + 1, objects)
}

/** A list that lies in no other one: its rows are compared, if the first ones have a text in common. */
function writeRows(
  value: readonly unknown[],
  length: number,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter,
): void {
  const texts = objects.startTexts()
  let index = 0
  while (texts !== undefined && index < length) {
    if (index === trialRows && texts.hits === 0) break
    texts.next = 0
    writeValue(value[index++], out, depth + 1, objects)
  }
  objects.stopTexts()
  writeItems(value, index, length, out, depth, objects)
}

/** A list in a row of another one: the texts of its rows take the same places, plain texts one behind the other. */
function writeInnerRows(
  value: readonly unknown[],
  length: number,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter,
): void {
  const texts = objects.texts!
  const { next } = texts
  for (let index = 0; index < length; index++) {
    const item = value[index]
    if (typeof item === 'object') texts.next = next
    writeValue(item, out, depth + 1, objects)
  }
}

function writeMap(
  value: Readonly<Record<string, unknown>>,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  const keys = Object.keys(value)
  let count = keys.length
  for (let index = 0; index < keys.length; index++) {
    if (value[keys[index]!] === undefined) count -= 1
  }
  writeHeader(count, 0x80, 15, 0xde, out)
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    const item = value[key]
    if (item === undefined) continue
    writeString(key, out)
    writeValue(item, out, depth + 1, objects)
  }
}

function writeHeader(
  count: number,
  fixed: number,
  maxFixed: number,
  wide: number,
  out: ByteWriter,
): void {
  if (count <= maxFixed) out.u8(fixed | count)
  else if (count <= 0xffff) {
    out.u8(wide)
    out.u16(count)
  } else {
    out.u8(wide + 1)
    out.u32(count)
  }
}

export function writeNumber(value: number, out: ByteWriter): void {
  if (Number.isInteger(value) && !Object.is(value, -0)) {
    if (value >= 0) return writeUnsigned(value, out)
    if (value >= -0x80000000) return writeNegative(value, out)
  }
  writeFloat(value, out)
}

function writeUnsigned(value: number, out: ByteWriter): void {
  if (value <= 0x7f) return out.u8(value)
  if (value <= 0xff) {
    out.u8(0xcc)
    return out.u8(value)
  }
  if (value <= 0xffff) {
    out.u8(0xcd)
    return out.u16(value)
  }
  if (value <= 0xffffffff) {
    out.u8(0xce)
    return out.u32(value)
  }
  if (!Number.isSafeInteger(value)) return writeFloat(value, out)
  out.u8(0xcf)
  out.u32(Math.floor(value / 0x100000000))
  out.u32(value >>> 0)
}

function writeNegative(value: number, out: ByteWriter): void {
  if (value >= -0x20) return out.u8(value & 0xff)
  if (value >= -0x80) {
    out.u8(0xd0)
    return out.u8(value & 0xff)
  }
  if (value >= -0x8000) {
    out.u8(0xd1)
    return out.u16(value & 0xffff)
  }
  out.u8(0xd2)
  out.u32(value >>> 0)
}

function writeFloat(value: number, out: ByteWriter): void {
  float.setFloat64(0, value)
  out.ensure(9)
  const { bytes, position } = out
  bytes[position] = 0xcb
  // For eight bytes a loop beats `set` by far.
  for (let index = 0; index < 8; index++) bytes[position + 1 + index] = floatBytes[index]!
  out.position = position + 9
}

function writeBinary(value: Uint8Array, out: ByteWriter): void {
  if (value.length <= 0xff) {
    out.u8(0xc4)
    out.u8(value.length)
  } else if (value.length <= 0xffff) {
    out.u8(0xc5)
    out.u16(value.length)
  } else {
    out.u8(0xc6)
    out.u32(value.length)
  }
  out.raw(value)
}

/** The standard timestamp: 96 bits, nanoseconds then seconds. */
function writeDate(value: Date, out: ByteWriter): void {
  const ms = value.getTime()
  if (Number.isNaN(ms)) throw new CoveyError('UNENCODABLE', 'an invalid date cannot be sent')
  const seconds = Math.floor(ms / 1000)
  out.u8(0xc7)
  out.u8(12)
  out.u8(extension.timestamp & 0xff)
  out.u32((ms - seconds * 1000) * 1_000_000)
  float.setBigInt64(0, BigInt(seconds))
  out.raw(floatBytes)
}

/** Decimal digits: rare, short, and every language can read them. */
function writeBigint(value: bigint, out: ByteWriter): void {
  const digits = value.toString()
  if (digits.length > 4096) throw new CoveyError('UNENCODABLE', 'a bigint over 4,096 digits')
  out.u8(0xc8)
  out.u16(digits.length)
  out.u8(extension.bigint)
  out.text(digits)
}

/** Maps and sets: an extension that holds their elements as an array. */
function writeExtension(
  type: number,
  elements: readonly unknown[],
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  out.u8(0xc9)
  const offset = out.size
  out.u32(0)
  out.u8(type)
  writeArray(elements, out, depth + 1, objects)
  out.patchU32(offset, out.size - offset - 5)
}

function pairs(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const elements: unknown[] = []
  for (const [key, value] of map) elements.push(key, value)
  return elements
}
