import type { AuthKey, KeyCrypto, Mac } from '../key-ring.ts'

/** Size of the random part that each side adds, in bytes. */
export const nonceBytes = 32

/** Seals with a key of the connection, or none. */
export type KeyIntegrity = 'hmac' | 'none'

/** What two sides that hold the same key, and nobody else, can compute. */
export interface KeyAgreement {
  /** Proves to the client that the server has the key and read this very hello. */
  serverProof(hello: Uint8Array, integrity: KeyIntegrity): Uint8Array
  /** Proves to the server that the client has the key and read this very challenge. */
  clientProof(hello: Uint8Array, challenge: Uint8Array): Uint8Array
  /** Codes of the frames that the client sends. */
  clientFrames(): Mac
  /** Codes of the frames that the server sends. */
  serverFrames(): Mac
}

const text = new TextEncoder()

/**
 * The agreement of a connection; `docs/protocol.md`, Authentication by key. Both nonces go into every key, so that
 * nothing of one connection fits another; each use has a key of its own, so that nothing can be sent back to its maker.
 */
export function agree(
  crypto: KeyCrypto,
  key: AuthKey,
  clientNonce: Uint8Array,
  serverNonce: Uint8Array,
): KeyAgreement {
  const salt = new Uint8Array(2 * nonceBytes)
  salt.set(clientNonce)
  salt.set(serverNonce, nonceBytes)
  const secret = key.extract(salt)
  const mac = (use: string) => crypto.hmac(expand(crypto, secret, `covey 2 ${use}`))
  return {
    serverProof: (hello, integrity) =>
      mac('server proof')(hello, serverNonce, text.encode(integrity)).slice(),
    clientProof: (hello, challenge) => mac('client proof')(hello, challenge).slice(),
    clientFrames: () => mac('client frames'),
    serverFrames: () => mac('server frames'),
  }
}

/** The secrets of a key that may be in use, the newest first. */
export function secretsOf(key: AuthKey): readonly AuthKey[] {
  return key.previous === undefined ? [key] : [key, key.previous]
}

/** HKDF-Expand (RFC 5869) to 32 bytes: the first block is all of it. */
function expand(crypto: KeyCrypto, secret: Uint8Array, info: string): Uint8Array {
  return crypto
    .hmac(secret)(text.encode(info), new Uint8Array([1]))
    .slice()
}
