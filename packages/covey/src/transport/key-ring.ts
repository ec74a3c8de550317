/**
 * The keys of a process: what it proves itself with when it connects, and what it accepts. It may change while it is
 * used; connections that exist go on with the key that they were opened with.
 */
export interface KeyRing {
  readonly crypto: KeyCrypto
  /** The key to connect with. */
  first(): AuthKey
  /** A key that is accepted, or undefined. */
  find(id: string): AuthKey | undefined
}

/** A secret that both sides of a connection hold. What it is cannot be read from it. */
export interface AuthKey {
  /** Tells which secret is meant; no secret itself. */
  readonly id: string
  /** Who a peer is that proves to have it. */
  readonly subject: string
  /** HKDF-Extract (RFC 5869) of the secret: 32 bytes. */
  extract(salt: Uint8Array): Uint8Array
  /** The secret that had this id before, as long as peers may not know the new one yet. */
  readonly previous?: AuthKey | undefined
}

/** What sessions need of a platform's cryptography. */
export interface KeyCrypto {
  /** Bytes that nobody can foresee. */
  random(count: number): Uint8Array
  /** HMAC-SHA256 with one key. */
  hmac(key: Uint8Array): Mac
}

/** The authentication code, 32 bytes, of some pieces one behind the other. The result is lent until the next call. */
export type Mac = (...pieces: readonly Uint8Array[]) => Uint8Array
