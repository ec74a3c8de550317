import type { Compression } from './compression.ts'
import type { KeyRing } from './key-ring.ts'
import type { UnprovedPeers } from './unproved-peers.ts'

/**
 * What guards the frames of a connection: `crc32c` tells of accidents, `hmac` of intent as well (it needs keys), `none`
 * leaves both to the network.
 */
export type Integrity = 'none' | 'crc32c' | 'hmac'

/**
 * Whether keys are demanded: `strict` refuses who proves none; `permissive` offers and takes keys, and goes on without where the other
 * side has none, for a fleet that is being given keys while it runs. An attacker who can change what travels takes the keys out of a
 * permissive handshake, so it guards nothing.
 */
export type KeyMode = 'strict' | 'permissive'

/** How the frames of connections are guarded and packed, at either end. */
export interface LinkOptions {
  /** Both sides prove that they have a key; who does not is refused, if `keyMode` is strict. Default: nobody is asked. */
  readonly keys?: KeyRing | undefined
  /** Default `strict`. */
  readonly keyMode?: KeyMode | undefined
  /** Told of connections that a permissive side has taken without a key. Default: nobody. */
  readonly unproved?: Pick<UnprovedPeers, 'add'> | undefined
  /** Default `hmac` with keys, `none` without. */
  readonly integrity?: Integrity | undefined
  /** How this platform can inflate bodies, and compress them. Default: it cannot. */
  readonly compression?: Compression | undefined
  /** Bodies above this size are compressed where the peer can inflate them. Default `Infinity`. */
  readonly compressAboveBytes?: number | undefined
}

/** Whether no connection is taken without a key. */
export function demandsKey({ keys, keyMode }: Pick<LinkOptions, 'keys' | 'keyMode'>): boolean {
  return keys !== undefined && keyMode !== 'permissive'
}

/** What guards the frames, with its default. */
export function integrityOf({ keys, integrity }: LinkOptions): Integrity {
  return integrity ?? (keys === undefined ? 'none' : 'hmac')
}
