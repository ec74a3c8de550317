import type { ByteWriter } from '../base/byte-writer.ts'

/**
 * Turns plain data into bytes and back: null, booleans, numbers, strings, arrays and objects; what else it
 * keeps is up to the codec. It holds no state between calls.
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
}

/** How deep values may nest, and how many elements one value may have in all. */
export const codecLimits = { maxDepth: 64, maxElements: 1_000_000 } as const
