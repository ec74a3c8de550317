import type { ByteWriter } from '../base/byte-writer.ts'

/**
 * Turns plain data into bytes and back: null, booleans, numbers, strings, arrays and objects; what else it
 * keeps is up to the codec. It holds no state between calls, unless it was opened for a connection.
 */
export interface Codec {
  /** Name in the handshake. */
  readonly name: string
  /** @throws CoveyError `UNENCODABLE`; what was written until then is the caller's to remove. */
  encode(value: unknown, out: ByteWriter): void
  /**
   * Reads one value that fills `bytes` from `start` to `end`. Nobody may write to `bytes` afterwards: the value may hold
   * views of them.
   * @throws CoveyError `PROTOCOL_ERROR` if the bytes are not such a value or break a limit
   */
  decode(bytes: Uint8Array, start: number, end: number): unknown
  /**
   * The same on a connection for which it was not opened yet: the other side may have opened it, and say more than `decode` takes.
   * Default: `decode`.
   */
  decodeFirst?(bytes: Uint8Array, start: number, end: number): unknown
  /**
   * Makes the form with state for one connection; a codec without any is used as it is.
   * @param sendShape sends a frame of type `shape` with this body, before anything that is encoded later; false if the
   * connection is closed
   */
  open?(sendShape: (body: (out: ByteWriter) => void) => boolean): ConnectionCodec
}

/** A codec that remembers what both sides of a connection said. */
export interface ConnectionCodec extends Codec {
  /** Takes in the body of a frame of type `shape`. @throws CoveyError `PROTOCOL_ERROR` */
  learnShape(bytes: Uint8Array, start: number, end: number): void
}

/** How deep values may nest, and how many elements one value may have in all. */
export const codecLimits = { maxDepth: 64, maxElements: 1_000_000 } as const
