import { CoveyError } from '../error/covey-error.ts'
import type { Codec, ConnectionCodec } from './codec.ts'
import { decodeMsgpack, type ShapeReaders } from './msgpack/decode.ts'
import { encodeMsgpack } from './msgpack/encode.ts'
import { shapeLimits } from './msgpack/shape-limits.ts'
import { ShapeTable } from './msgpack/shape-table.ts'
import { ShapeWriter } from './msgpack/shape-writer.ts'

/** What a connection knows before the first announcement; texts that come again need none. */
const noShapes: ShapeReaders = { at: () => undefined }

/**
 * MessagePack in which objects that come again and again leave their keys out, see `docs/protocol.md`, Shapes. The default
 * between two Coveys: lists of like objects take half the bytes and half the time.
 */
export const shapesCodec: Codec = {
  name: 'shapes',
  encode: (value, out) => encodeMsgpack(value, out),
  decode: (bytes, start, end) => decodeMsgpack(bytes, start, end),
  open(sendShape) {
    // Both are made when they are needed, for the sake of connections that are silent.
    let table: ShapeTable | undefined
    let writer: ShapeWriter | undefined
    const announce = (number: number, keys: readonly string[]) =>
      sendShape((out) => {
        out.u16(number)
        encodeMsgpack(keys, out)
      })
    return {
      name: 'shapes',
      encode(value, out) {
        writer ??= new ShapeWriter(announce)
        writer.encode(value, out)
      },
      decode: (bytes, start, end) => decodeMsgpack(bytes, start, end, table ?? noShapes),
      learnShape(bytes, start, end) {
        if (end - start > shapeLimits.maxFrameBytes) {
          throw new CoveyError('PROTOCOL_ERROR', `an announcement of ${end - start} bytes`)
        }
        table ??= new ShapeTable()
        const number = (bytes[start]! << 8) | bytes[start + 1]!
        table.add(number, decodeMsgpack(bytes, start + 2, end))
      },
    } satisfies ConnectionCodec
  },
}
