import { X509Certificate } from 'node:crypto'
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate } from 'node:tls'
import { CoveyError } from '../../error/covey-error.ts'
import type { TlsCredentials } from './tls-credentials.ts'
import { requireTrustDomain } from './wire.ts'

/**
 * Settings of a client that shows its certificate and holds that of the server against its own authorities. With SPIFFE ids it
 * matters who answers, not at which address.
 * @param protocol the name of what is spoken, for ALPN
 */
export function secureClientOptions(
  { current }: TlsCredentials,
  protocol: string,
): ConnectionOptions {
  const { trustDomain } = current
  return {
    secureContext: current.context,
    ALPNProtocols: [protocol],
    checkServerIdentity:
      trustDomain === undefined ? checkServerIdentity : (_, peer) => foreign(peer, trustDomain),
  }
}

function foreign({ raw }: PeerCertificate, trustDomain: string): Error | undefined {
  try {
    requireTrustDomain(new X509Certificate(raw), trustDomain)
    return undefined
  } catch (error) {
    return Object.assign(new Error((error as Error).message), { code: 'CERT_OF_OTHER_DOMAIN' })
  }
}

/** The error for a server whose certificate is not believed; undefined when something else is wrong. */
export function serverRefusal(
  address: string,
  error: Error & { code?: string },
): CoveyError | undefined {
  if (!/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|CRL|ISSUER/.test(error.code ?? '')) return undefined
  const message = `${address}: the certificate of the server is refused: ${error.message}`
  return new CoveyError('UNAUTHENTICATED', message, { cause: error })
}
