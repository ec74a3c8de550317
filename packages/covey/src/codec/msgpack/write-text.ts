import type { ByteWriter } from '../../base/byte-writer.ts'
import { halfCharacter } from '../unencodable.ts'

/** Up to here a loop over the characters beats the platform's encoder. */
const maxShort = 40

/** Writes text, with its size ahead. @throws Unencodable for a lone surrogate */
export function writeString(value: string, out: ByteWriter): void {
  const { length } = value
  if (length <= maxShort && writeShortAscii(value, length, out)) return
  const offset = out.size
  writeHead(length, out)
  const size = out.text(value)
  if (size === length) return
  // As UTF-8 it would silently become another text.
  if (!value.isWellFormed()) throw halfCharacter(value)
  const more = headBytes(size) - headBytes(length)
  if (more > 0) out.insert(offset, more)
  patchHead(size, offset, out)
}

function headBytes(size: number): number {
  if (size <= 31) return 1
  if (size <= 0xff) return 2
  return size <= 0xffff ? 3 : 5
}

function writeHead(size: number, out: ByteWriter): void {
  const offset = out.size
  out.insert(offset, headBytes(size))
  patchHead(size, offset, out)
}

function patchHead(size: number, offset: number, out: ByteWriter): void {
  if (size <= 31) out.patchU8(offset, 0xa0 | size)
  else if (size <= 0xff) {
    out.patchU8(offset, 0xd9)
    out.patchU8(offset + 1, size)
  } else if (size <= 0xffff) {
    out.patchU8(offset, 0xda)
    out.patchU8(offset + 1, size >>> 8)
    out.patchU8(offset + 2, size & 0xff)
  } else {
    out.patchU8(offset, 0xdb)
    out.patchU32(offset + 1, size)
  }
}

/** Header and text in one go, for the strings that most messages are made of. */
function writeShortAscii(value: string, length: number, out: ByteWriter): boolean {
  out.ensure(length + 2)
  const { bytes } = out
  let at = out.position
  if (length <= 31) bytes[at++] = 0xa0 | length
  else {
    bytes[at++] = 0xd9
    bytes[at++] = length
  }
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index)
    if (code > 0x7f) return false
    bytes[at++] = code
  }
  out.position = at
  return true
}

/** What the text takes as UTF-8. */
export function utf8Bytes(value: string): number {
  let size = value.length
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code <= 0x7f) continue
    if (code <= 0x7ff) size += 1
    else if (isPair(value, index)) {
      size += 2
      index += 1
    } else size += 2
  }
  return size
}

function isPair(value: string, index: number): boolean {
  return (
    (value.charCodeAt(index) & 0xfc00) === 0xd800 &&
    (value.charCodeAt(index + 1) & 0xfc00) === 0xdc00
  )
}
