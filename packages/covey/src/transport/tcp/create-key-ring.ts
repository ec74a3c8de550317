import { CoveyError } from '../../error/covey-error.ts'
import type { AuthKey, KeyRing } from '../key-ring.ts'
import { nodeCrypto } from './node-crypto.ts'
import { readSecretFile } from './secret-file.ts'

/** A key as it is configured; exactly one of `secret` and `secretFile`. */
export interface KeyOptions {
  /** Tells which secret is meant; it is sent and shown openly. 1 to 64 characters. */
  readonly id: string
  /** Text of at least 32 characters that both sides hold: `openssl rand -base64 32` makes one. */
  readonly secret?: string | undefined
  /** A file that holds the secret, which only its owner may read. */
  readonly secretFile?: string | undefined
  /** Who a peer is that proves to have it. Default `key:<id>`. */
  readonly subject?: string | undefined
}

/** Keys that can be replaced while connections are made with them. */
export interface LiveKeyRing extends KeyRing {
  /** Names of the keys, in their order. */
  readonly ids: readonly string[]
  /**
   * From now on connections are opened with the first of `keys` and accepted with each of them; existing ones go on.
   * @throws CoveyError `INVALID_SETTINGS`; the keys stay as they were then
   */
  replace(keys: readonly KeyOptions[]): void
}

/** As many bits as the hash has, were it made of random hexadecimal digits and twice as long; 190 in base64. */
const minSecretLength = 32

/**
 * Keys that the processes of a fleet prove themselves with. The first one is used to connect, all are accepted.
 *
 * @throws CoveyError `INVALID_SETTINGS` naming the key by its id, never with a part of a secret
 * @example
 * const keys = createKeyRing([{ id: 'may', secret: process.env.MAY! }, { id: 'april', secret: process.env.APRIL! }])
 * const runtime = createRuntime({ keys })
 */
export function createKeyRing(keys: readonly KeyOptions[]): LiveKeyRing {
  let current = readKeys(keys)
  return {
    crypto: nodeCrypto,
    get ids() {
      return [...current.keys()]
    },
    first: () => current.values().next().value!,
    find: (id) => current.get(id),
    replace(next) {
      current = readKeys(next)
    },
  }
}

function readKeys(keys: readonly KeyOptions[]): ReadonlyMap<string, AuthKey> {
  if (keys.length === 0) throw invalid('covey.keys: at least one key is needed')
  const read = new Map<string, AuthKey>()
  for (const [index, key] of keys.entries()) {
    if (!/^[\x21-\x7e]{1,64}$/.test(key.id)) {
      throw invalid(`covey.keys[${index}].id: use 1 to 64 letters, digits and signs, no blanks`)
    }
    if (read.has(key.id)) throw invalid(`covey.keys: the id "${key.id}" is there twice`)
    read.set(key.id, toAuthKey(key))
  }
  return read
}

/** The secret stays in a closure: nothing that prints the key can print it. */
function toAuthKey(options: KeyOptions): AuthKey {
  const { id, subject = `key:${id}` } = options
  const secret = new TextEncoder().encode(secretOf(options))
  return Object.freeze({
    id,
    subject,
    // A copy, for what a code gives is lent.
    extract: (salt: Uint8Array) => new Uint8Array(nodeCrypto.hmac(salt)(secret)),
  })
}

function secretOf({ id, secret, secretFile }: KeyOptions): string {
  if ((secret === undefined) === (secretFile === undefined)) {
    throw invalid(`covey.keys: key "${id}" needs either secret or secretFile`)
  }
  const text = secret ?? readSecretFile(secretFile!, id)
  if (text.length >= minSecretLength) return text
  throw invalid(
    `covey.keys: the secret of key "${id}" has ${text.length} characters and needs at least ${minSecretLength}; make one with: openssl rand -base64 32`,
  )
}

function invalid(message: string): CoveyError {
  return new CoveyError('INVALID_SETTINGS', message)
}
