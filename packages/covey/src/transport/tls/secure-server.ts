import { constants } from 'node:crypto'
import type { SecureContextOptions, Server, TLSSocket, TlsOptions } from 'node:tls'
import { CoveyError } from '../../error/covey-error.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import type { Limits } from '../limits.ts'
import type { ListenOptions } from '../transport.ts'
import { HandshakeGate } from './handshake-gate.ts'
import { type CheckedMaterial, type TlsCredentials, tlsVersion } from './tls-credentials.ts'
import { requireTrustDomain } from './wire.ts'

/** Time between two lines of the log about handshakes that failed, in milliseconds. */
const quietMs = 10_000

/**
 * Settings of a server that shows its certificate and asks for that of its clients.
 * @param protocol the name of what is spoken, for ALPN
 */
export function secureServerOptions(
  { current }: TlsCredentials,
  limits: Limits,
  protocol: string,
): TlsOptions {
  return {
    ...contextOptions(current),
    requestCert: true,
    // Judged by `certificateProblem`, so that the client hears why in words.
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
    handshakeTimeout: limits.handshakeMs,
  }
}

/**
 * No session is taken up again: OpenSSL believes the certificate of the first time then, which may have ended since, and go on to
 * renew the session for ever.
 */
function contextOptions({ material }: CheckedMaterial): SecureContextOptions {
  return { ...material, minVersion: tlsVersion, secureOptions: constants.SSL_OP_NO_TICKET }
}

/**
 * Lets a server that was made with {@link secureServerOptions} follow its credentials, bounds the handshakes that go on at once, and
 * writes to the log why handshakes fail.
 */
export function guardHandshakes(
  server: Server,
  credentials: TlsCredentials,
  { limits, clock, log }: ListenOptions,
): HandshakeGate {
  const warn = rareWarning(log, clock, quietMs)
  const gate = new HandshakeGate({ limits, clock, warn: rareWarning(log, clock, quietMs) })
  server.on('connection', (socket) => gate.enter(socket))
  // A stranger that cannot prove who it is has been told so by TLS itself.
  server.on('tlsClientError', (err, socket) => {
    warn({ address: socket.remoteAddress, err }, 'a TLS handshake failed')
    socket.destroy()
  })
  const forget = credentials.onChange(() => {
    server.setSecureContext(contextOptions(credentials.current))
  })
  server.once('close', forget)
  return gate
}

/** Why the certificate of a client is not believed; undefined when it is, or where there is none. */
export function certificateProblem(
  socket: TLSSocket,
  { current }: TlsCredentials,
): CoveyError | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  if (!socket.authorized) {
    const why = `the certificate of the client is refused: ${socket.authorizationError}`
    return new CoveyError('UNAUTHENTICATED', why)
  }
  try {
    requireTrustDomain(certificate, current.trustDomain)
    return undefined
  } catch (error) {
    return CoveyError.from(error)
  }
}

/** Why a client that shows no certificate is refused; undefined when it shows one. */
export function certificateMissing(socket: TLSSocket): CoveyError | undefined {
  if (socket.getPeerX509Certificate() !== undefined) return undefined
  return new CoveyError('UNAUTHENTICATED', 'the peer has no certificate')
}
