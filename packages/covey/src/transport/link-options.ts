import type { Compression } from './compression.ts'
import type { KeyRing } from './key-ring.ts'

/**
 * What guards the frames of a connection: `crc32c` tells of accidents, `hmac` of intent as well (it needs keys), `none`
 * leaves both to the network.
 */
export type Integrity = 'none' | 'crc32c' | 'hmac'

/** How the frames of connections are guarded and packed, at either end. */
export interface LinkOptions {
  /** Both sides prove that they have a key; who does not is refused. Default: nobody is asked. */
  readonly keys?: KeyRing | undefined
  /** Default `hmac` with keys, `none` without. */
  readonly integrity?: Integrity | undefined
  /** How this platform can inflate bodies, and compress them. Default: it cannot. */
  readonly compression?: Compression | undefined
  /** Bodies above this size are compressed where the peer can inflate them. Default `Infinity`. */
  readonly compressAboveBytes?: number | undefined
}

/** What guards the frames, with its default. */
export function integrityOf({ keys, integrity }: LinkOptions): Integrity {
  return integrity ?? (keys === undefined ? 'none' : 'hmac')
}
