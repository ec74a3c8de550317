import type { Codec } from './codec.ts'
import { decodeMsgpack } from './msgpack/decode.ts'
import { encodeMsgpack } from './msgpack/encode.ts'

/** MessagePack; keeps `Uint8Array`, `Date`, `bigint`, `Map` and `Set` as they are. The default. */
export const msgpackCodec: Codec = {
  name: 'msgpack',
  encode: (value, out) => encodeMsgpack(value, out),
  decode: (bytes, start, end) => decodeMsgpack(bytes, start, end),
}
