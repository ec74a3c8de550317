import type { ByteWriter } from '../../base/byte-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** Writes text, with its size ahead. @throws CoveyError `UNENCODABLE` for a lone surrogate */
export function writeString(value: string, out: ByteWriter): void {
  const { length } = value
  if (length <= 48 && writeShortAscii(value, length, out)) return
  // As UTF-8 it would silently become another text.
  if (!value.isWellFormed()) {
    throw new CoveyError('UNENCODABLE', 'text with half a character (a lone surrogate)')
  }
  const size = utf8Bytes(value)
  if (size <= 31) out.u8(0xa0 | size)
  else if (size <= 0xff) {
    out.u8(0xd9)
    out.u8(size)
  } else if (size <= 0xffff) {
    out.u8(0xda)
    out.u16(size)
  } else {
    out.u8(0xdb)
    out.u32(size)
  }
  out.text(value, size)
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
