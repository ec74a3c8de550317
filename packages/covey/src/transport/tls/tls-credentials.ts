import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { CoveyError } from '../../error/covey-error.ts'
import { trustDomainOf } from './tls-identity.ts'

/** A certificate with its key, and whom it trusts; all in PEM. */
export interface TlsMaterial {
  /** The own certificate, with those between it and the authority behind it. */
  readonly cert: string
  readonly key: string
  /** The authorities whose certificates are believed. The system's own list is not used. */
  readonly ca: string
}

/** Where the material comes from. It may change at any time; connections made from then on use the new one. */
export interface TlsCredentials {
  readonly current: CheckedMaterial
  /** Calls `listener` at each change until the result is called. */
  onChange(listener: () => void): () => void
}

/** Material that fits together. */
export interface CheckedMaterial {
  readonly context: SecureContext
  readonly material: TlsMaterial
  /** Of the own SPIFFE id. Peers have to be of the same one then, and names of hosts do not matter. */
  readonly trustDomain: string | undefined
  readonly notAfter: Date
}

/** TLS 1.3 alone: all peers are ours. */
export const tlsVersion = 'TLSv1.3'

/** Name of the protocol in the handshake of TLS. */
export const tlsProtocol = 'covey'

/**
 * Checks that certificate and key belong together.
 * @throws CoveyError `INVALID_SETTINGS` naming what is wrong; never with a part of the key
 */
export function checkMaterial(material: TlsMaterial, where = 'tls'): CheckedMaterial {
  const own = attempt(
    () => new X509Certificate(material.cert),
    `${where}.cert: no certificate in PEM`,
  )
  attempt(() => new X509Certificate(material.ca), `${where}.ca: no certificate in PEM`)
  const context = attempt(
    () => createSecureContext({ ...material, minVersion: tlsVersion }),
    `${where}: the key is no private key in PEM, or not that of the certificate`,
  )
  const notAfter = new Date(own.validTo)
  return { context, material: unprinted(material), trustDomain: trustDomainOf(own), notAfter }
}

/** The same, of which nothing that prints it shows the key. */
function unprinted(material: TlsMaterial): TlsMaterial {
  const shown = () => ({ key: '[secret]' })
  return Object.defineProperties(
    { ...material },
    { toJSON: { value: shown }, [Symbol.for('nodejs.util.inspect.custom')]: { value: shown } },
  )
}

/** Material that never changes. @throws CoveyError `INVALID_SETTINGS` */
export function fixedCredentials(material: TlsMaterial): TlsCredentials {
  const current = checkMaterial(material)
  return { current, onChange: () => () => {} }
}

function attempt<T>(run: () => T, message: string): T {
  try {
    return run()
  } catch (cause) {
    // The reason of OpenSSL names files and functions of its own, never the key.
    throw new CoveyError('INVALID_SETTINGS', `${message} (${(cause as Error).message})`)
  }
}
