import { CoveyError } from '../../error/covey-error.ts'
import type { AuthKey } from '../key-ring.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { FileSecrets } from './secret-file.ts'

/** As many bits as the hash has, were it made of random hexadecimal digits and twice as long; 190 in base64. */
const minSecretLength = 32

/**
 * A key of one secret, or of two while it is being changed. Secrets stay in closures: nothing that prints the key can print them.
 * @throws CoveyError `INVALID_SETTINGS` if one is too short, with its length alone
 */
export function authKey(id: string, subject: string, secrets: FileSecrets): AuthKey {
  const { current, previous } = secrets
  return Object.freeze({
    id,
    subject,
    extract: extractor(current, id),
    previous: previous === undefined ? undefined : authKey(id, subject, only(previous)),
  })
}

function only(current: string): FileSecrets {
  return { current, previous: undefined }
}

function extractor(secret: string, id: string): AuthKey['extract'] {
  if (secret.length < minSecretLength) {
    const message = `covey.keys: the secret of key "${id}" has ${secret.length} characters and needs at least ${minSecretLength}; make one with: openssl rand -base64 32`
    throw new CoveyError('INVALID_SETTINGS', message)
  }
  const bytes = new TextEncoder().encode(secret)
  // A copy, for what a code gives is lent.
  return (salt) => new Uint8Array(nodeCrypto.hmac(salt)(bytes))
}
