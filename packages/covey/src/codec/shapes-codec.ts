import type { ByteWriter } from '../base/byte-writer.ts'
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
  decodeFirst: (bytes, start, end) => decodeMsgpack(bytes, start, end, noShapes),
  open: (sendShape) => new ConnectionShapes(sendShape),
}

type SendShape = Parameters<NonNullable<Codec['open']>>[0]

/** What both sides of a connection have announced. A class, for ten thousand connections would hold functions of their own. */
class ConnectionShapes implements ConnectionCodec {
  readonly #sendShape: SendShape
  // Both are made when they are needed, for the sake of connections that are silent.
  #table: ShapeTable | undefined
  #writer: ShapeWriter | undefined

  constructor(sendShape: SendShape) {
    this.#sendShape = sendShape
  }

  get name(): string {
    return shapesCodec.name
  }

  encode(value: unknown, out: ByteWriter): void {
    this.#writer ??= new ShapeWriter((number, keys) => this.#announce(number, keys))
    this.#writer.encode(value, out)
  }

  decode(bytes: Uint8Array, start: number, end: number): unknown {
    return decodeMsgpack(bytes, start, end, this.#table ?? noShapes)
  }

  learnShape(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > shapeLimits.maxFrameBytes) {
      throw new CoveyError('PROTOCOL_ERROR', `an announcement of ${end - start} bytes`)
    }
    this.#table ??= new ShapeTable()
    const number = (bytes[start]! << 8) | bytes[start + 1]!
    this.#table.add(number, decodeMsgpack(bytes, start + 2, end))
  }

  #announce(number: number, keys: readonly string[]): boolean {
    return this.#sendShape((out) => {
      out.u16(number)
      encodeMsgpack(keys, out)
    })
  }
}
