import { promisify } from 'node:util'
import {
  constants,
  type ZstdOptions,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { CoveyError } from '../../error/covey-error.ts'
import type { Compression } from '../compression.ts'

/** The fastest level: what is left to gain behind it costs a multiple of its time. */
const packOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Memory for what a frame may refer back to: 8 MiB, which RFC 8878 (3.1.1.1.2) recommends to support. */
const maxWindowLog = 23

/** What Node gives with the option `info`: how much of the input was read beside the output. */
interface Inflated {
  readonly buffer: Uint8Array<ArrayBuffer>
  readonly engine: { readonly bytesWritten: number }
}

const inflateBeside = promisify(zstdDecompress) as unknown as (
  packed: Uint8Array,
  options: ZstdOptions,
) => Promise<Inflated>

/** zstd (RFC 8878), by Node. */
export const zstd: Compression = {
  name: 'zstd',
  pack: (body) => zstdCompressSync(body, packOptions),
  inflate(packed, plainBytes) {
    try {
      const inflated = zstdDecompressSync(packed, inflateOptions(plainBytes))
      return requireExact(inflated as unknown as Inflated, packed, plainBytes)
    } catch (error) {
      throw malformed(error)
    }
  },
  async inflateLater(packed, plainBytes) {
    try {
      const inflated = await inflateBeside(packed, inflateOptions(plainBytes))
      return requireExact(inflated, packed, plainBytes)
    } catch (error) {
      throw malformed(error)
    }
  },
}

function inflateOptions(plainBytes: number): ZstdOptions {
  return {
    info: true,
    // One byte more than is right, so that a body that is too large is told from one that fits; more is never made.
    maxOutputLength: plainBytes + 1,
    chunkSize: Math.max(64, plainBytes + 1),
    params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
  }
}

function requireExact({ buffer, engine }: Inflated, packed: Uint8Array, plainBytes: number) {
  if (buffer.length === plainBytes && engine.bytesWritten === packed.length) return buffer
  throw new Error(`${buffer.length} bytes instead of ${plainBytes}`)
}

function malformed(cause: unknown): CoveyError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new CoveyError('PROTOCOL_ERROR', `a compressed body cannot be inflated: ${why}`, { cause })
}
