import { ByteWriter } from '../base/byte-writer.ts'
import { msgpackCodec } from '../codec/msgpack-codec.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { CollectedResult } from './result-contract.ts'

/** How a submitted call ended. */
export interface Outcome {
  readonly value?: unknown
  /** Set when it failed. */
  readonly error?: CoveyError
}

/**
 * An outcome as bytes, to be kept.
 * @throws CoveyError `UNENCODABLE` if the value could not be sent to whoever collects it
 */
export function encodeOutcome({ value, error }: Outcome): Uint8Array {
  const out = new ByteWriter()
  // In a list, so that it may nest as deep as in the answer to `covey.results.collect`, and no deeper.
  const kept =
    error === undefined ? { state: 'done', value } : { state: 'failed', error: error.toData() }
  msgpackCodec.encode([kept], out)
  // A copy of its own size: the memory of the writer is larger.
  const bytes = out.take().slice()
  out.reuse()
  return bytes
}

/** What was kept, as it is told to those who collect it. */
export function decodeOutcome(bytes: Uint8Array): CollectedResult {
  try {
    return (msgpackCodec.decode(bytes, 0, bytes.length) as [CollectedResult])[0]
  } catch (cause) {
    const { message } = CoveyError.from(cause)
    const lost = new CoveyError(
      'RESULT_LOST',
      `the call ran, but its result cannot be read: ${message}`,
    )
    return { state: 'failed', error: lost.toData() }
  }
}
