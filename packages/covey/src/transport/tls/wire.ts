import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { withoutUser } from '../../base/without-user.ts'
import type { Identity } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Limits } from '../limits.ts'
import type { Pipe } from '../session/pipe.ts'
import { parseSocketUrl, socketPipe } from '../tcp/wire.ts'
import { certificateIdentity, trustDomainOf } from './tls-identity.ts'

/**
 * Reads `tls://127.0.0.1:4100`.
 * @throws TypeError naming what is wrong
 */
export function parseTlsUrl(address: string): { readonly host: string; readonly port: number } {
  const plain = address.replace(/^tls:/i, 'tcp:')
  const target = parseSocketUrl(plain)
  if (plain !== address && target.protocol === 'tcp') return target
  throw new TypeError(`address "${withoutUser(address)}": use tls://host:port`)
}

/** The URL of a TLS address. */
export function tlsUrl(host: string, port: number): string {
  return host.includes(':') ? `tls://[${host}]:${port}` : `tls://${host}:${port}`
}

/**
 * A secured socket as a pipe, which says who is at its other end.
 * @param setupMs how long its handshake has taken, in milliseconds
 */
export function tlsPipe(socket: TLSSocket, address: string, limits: Limits, setupMs = 0): Pipe {
  return Object.assign(socketPipe(socket, 'tls', address, limits), {
    identity: socketIdentity(socket),
    setupMs,
  })
}

/** Who is at the other end of a secured socket, by its certificate. */
export function socketIdentity(socket: TLSSocket): Identity | undefined {
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? undefined : certificateIdentity(certificate)
}

/**
 * Refuses a peer of another trust domain, where the own certificate names one.
 * @throws CoveyError `UNAUTHENTICATED`
 */
export function requireTrustDomain(
  certificate: X509Certificate | undefined,
  trustDomain: string | undefined,
): void {
  if (certificate === undefined)
    throw new CoveyError('UNAUTHENTICATED', 'the peer has no certificate')
  if (trustDomain === undefined) return
  const theirs = trustDomainOf(certificate)
  if (theirs === trustDomain) return
  const said = theirs === undefined ? 'no SPIFFE id' : `a SPIFFE id of ${theirs}`
  const message = `the certificate of the peer has ${said}; the own one is of ${trustDomain}`
  throw new CoveyError('UNAUTHENTICATED', message)
}
