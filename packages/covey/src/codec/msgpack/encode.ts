import type { ByteWriter } from '../../base/byte-writer.ts'
import { codecLimits } from '../codec.ts'
import {
  invalidDate,
  longBigint,
  lossy,
  lossyKind,
  maxBigintLength,
  protoKey,
  requireDistinct,
  toldWhere,
  tooDeep,
  tooMany,
  Unencodable,
  unsendable,
} from '../unencodable.ts'
import { extension } from './extension.ts'
import type { RowTexts } from './row-texts.ts'
import { writeNumber } from './write-number.ts'
import { writeString } from './write-text.ts'

/** Elements of the message that is being written. Writing takes no pause, but a `toJSON` may write another message. */
let elements = 0

/**
 * Writes a value as MessagePack. Properties that are undefined are left out, as in JSON; undefined
 * elsewhere becomes nil.
 * @throws CoveyError `UNENCODABLE`, naming the path, for what would arrive as something else or be refused: functions, symbols,
 * lone surrogates, invalid dates, what keeps its content out of its properties (promises, errors, typed arrays but
 * `Uint8Array`), a key `__proto__`, nesting deeper than 64 (cycles), over 1,000,000 elements
 */
export function encodeMsgpack(value: unknown, out: ByteWriter, objects?: ObjectWriter): void {
  const outer = elements
  elements = 0
  try {
    writeValue(value, out, 0, objects)
  } catch (error) {
    throw toldWhere(error, value)
  } finally {
    elements = outer
  }
}

/** Takes note of a container before its elements are written: a peer takes no more than so many in a message. */
export function countElements(count: number, container: object): void {
  elements += count
  if (elements > codecLimits.maxElements) throw tooMany(container)
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
      throw unsendable(value)
  }
}

function writeObject(
  value: object,
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  if (depth >= codecLimits.maxDepth) throw tooDeep(value)
  if (Array.isArray(value)) return writeArray(value, out, depth, objects)
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    const map = value as Record<string, unknown>
    if (objects?.write(map, out, depth)) return
    return writeMap(map, out, depth, objects)
  }
  if (value instanceof Uint8Array) return writeBinary(value, out)
  if (value instanceof Date) return writeDate(value, out)
  if (value instanceof Map) return writeExtension(value, pairs(value), out, depth, objects)
  if (value instanceof Set) return writeExtension(value, [...value], out, depth, objects)
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return writeValue((value as { toJSON(): unknown }).toJSON(), out, depth + 1, objects)
  }
  const kind = lossyKind(value)
  if (kind !== undefined) throw lossy(value, kind)
  writeMap(value as Record<string, unknown>, out, depth, objects)
}

function writeArray(
  value: readonly unknown[],
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  const { length } = value
  countElements(length, value)
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
  countElements(count, value)
  writeHeader(count, 0x80, 15, 0xde, out)
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!
    const item = value[key]
    if (item === undefined) continue
    if (key === '__proto__') throw protoKey(value)
    count -= 1
    writeString(key, out)
    writeValue(item, out, depth + 1, objects)
  }
  if (count !== 0) throw changed(value)
}

/** A getter or a `toJSON` changed it since it was looked at. */
export function changed(value: object): Unencodable {
  return new Unencodable(value, 'an object changed its keys while it was written')
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
  if (Number.isNaN(ms)) throw invalidDate(value)
  const seconds = Math.floor(ms / 1000)
  out.u8(0xc7)
  out.u8(12)
  out.u8(extension.timestamp & 0xff)
  out.u32((ms - seconds * 1000) * 1_000_000)
  out.u32(Math.floor(seconds / 2 ** 32))
  out.u32(seconds >>> 0)
}

/** Decimal digits: rare, short, and every language can read them. */
function writeBigint(value: bigint, out: ByteWriter): void {
  const digits = value.toString()
  if (digits.length > maxBigintLength) throw longBigint(value)
  out.u8(0xc8)
  out.u16(digits.length)
  out.u8(extension.bigint)
  out.text(digits)
}

/** Maps and sets: an extension that holds their elements as an array. */
function writeExtension(
  value: Map<unknown, unknown> | Set<unknown>,
  items: readonly unknown[],
  out: ByteWriter,
  depth: number,
  objects: ObjectWriter | undefined,
): void {
  // The array lies a level deeper.
  if (depth + 1 >= codecLimits.maxDepth) throw tooDeep(value)
  requireDistinct(value)
  out.u8(0xc9)
  const offset = out.size
  out.u32(0)
  out.u8(value instanceof Map ? extension.map : extension.set)
  writeArray(items, out, depth + 1, objects)
  out.patchU32(offset, out.size - offset - 5)
}

function pairs(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const elements: unknown[] = []
  for (const [key, value] of map) elements.push(key, value)
  return elements
}
