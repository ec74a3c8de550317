import { ByteWriter } from '../../base/byte-writer.ts'
import type { Codec } from '../../codec/codec.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { msgpackCodec } from '../../codec/msgpack-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { refuseDuplicateKeys } from './duplicate-keys.ts'
import { refuseInexactNumbers } from './inexact-numbers.ts'
import { mediaType } from './wire.ts'

/** How a value lies in a body. */
export interface BodyCodec {
  readonly mediaType: string
  /** Of errors. */
  readonly problemType: string
  /** @throws CoveyError `UNENCODABLE` */
  encode(value: unknown): Uint8Array
  /** No bytes stand for nothing. @throws CoveyError `INVALID_INPUT` saying where it is wrong */
  decode(bytes: Uint8Array): unknown
}

/** For other languages and people. Keys must not stand twice, and integers must be exact: two readers would see two messages. */
export const jsonBody: BodyCodec = {
  mediaType: mediaType.json,
  problemType: mediaType.problem,
  encode: (value) => encodeWith(jsonCodec, value),
  decode(bytes) {
    const value = decodeWith(jsonCodec, bytes)
    refuseDuplicateKeys(bytes)
    refuseInexactNumbers(bytes)
    return value
  },
}

/** For programs that want dates, bytes, big integers, maps and sets as such. */
export const msgpackBody: BodyCodec = {
  mediaType: mediaType.msgpack,
  problemType: mediaType.problemMsgpack,
  encode: (value) => encodeWith(msgpackCodec, value),
  decode: (bytes) => decodeWith(msgpackCodec, bytes),
}

/** Below this size a copy is cheaper than to keep a whole slab of memory for it, in bytes. */
const copyBelowBytes = 32 * 1024

function encodeWith(codec: Codec, value: unknown): Uint8Array {
  const out = new ByteWriter()
  try {
    codec.encode(value, out)
  } catch (error) {
    out.truncate(0)
    out.reuse()
    throw error
  }
  if (out.size > copyBelowBytes) return out.take()
  const copy = out.take().slice()
  out.reuse()
  return copy
}

function decodeWith(codec: Codec, bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined
  try {
    return codec.decode(bytes, 0, bytes.length)
  } catch (error) {
    throw new CoveyError('INVALID_INPUT', CoveyError.from(error).message, { cause: error })
  }
}
