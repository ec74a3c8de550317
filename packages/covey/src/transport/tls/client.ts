import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { afterReading } from '../../base/after-reading.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ClientSession } from '../session/client-session.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { type TlsCredentials, tlsProtocol } from './tls-credentials.ts'
import { parseTlsUrl, requireTrustDomain, tlsPipe } from './wire.ts'

/**
 * Connects to `tls://host:port`: TLS 1.3, both sides show a certificate, then the handshake of the protocol.
 * @throws CoveyError `UNAVAILABLE` if nobody answers within `connectMs` + `handshakeMs`, `UNAUTHENTICATED` if either side
 *   does not believe the other's certificate
 */
export async function connectTls(
  address: string,
  credentials: TlsCredentials,
  options: ConnectOptions,
): Promise<Connection> {
  const socket = await openSocket(address, credentials, options)
  const session = new ClientSession(tlsPipe(socket, address), options)
  try {
    await session.handshake()
    return session
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function openSocket(
  address: string,
  { current }: TlsCredentials,
  { limits, clock, signal }: ConnectOptions,
): Promise<TLSSocket> {
  const { host, port } = parseTlsUrl(address)
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      secureContext: current.context,
      ALPNProtocols: [tlsProtocol],
      // With SPIFFE ids it matters who answers, not at which address.
      checkServerIdentity:
        current.trustDomain === undefined ? checkServerIdentity : () => undefined,
    })
    const fail = (error: CoveyError) => {
      settle()
      socket.destroy()
      reject(error)
    }
    const unavailable = (why: string, cause?: unknown) =>
      fail(new CoveyError('UNAVAILABLE', `${address}: ${why}`, { cause }))
    const onError = (error: Error) => {
      const refused = refusal(address, error)
      if (refused === undefined) unavailable(error.message, error)
      else fail(refused)
    }
    const onAbort = () => unavailable('connecting was cancelled', signal?.reason)
    const limitMs = limits.connectMs + limits.handshakeMs
    const timer = afterReading(clock, limits.connectMs, () => {
      if (socket.connecting) unavailable(`no answer within ${limits.connectMs} ms`)
    })
    const whole = afterReading(clock, limitMs, () =>
      unavailable(`no TLS handshake within ${limitMs} ms`),
    )
    const settle = () => {
      timer.stop()
      whole.stop()
      socket.off('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    socket.once('error', onError)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) return onAbort()
    socket.once('secureConnect', () => {
      try {
        requireTrustDomain(socket.getPeerX509Certificate(), current.trustDomain)
      } catch (error) {
        return fail(at(address, error as CoveyError))
      }
      settle()
      resolve(socket)
    })
  })
}

/** The error for a certificate that is not believed; undefined when something else is wrong. */
function refusal(address: string, error: Error & { code?: string }): CoveyError | undefined {
  const code = error.code ?? ''
  if (!/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|CRL|ISSUER/.test(code)) return undefined
  const message = `${address}: the certificate of the server is refused: ${error.message}`
  return new CoveyError('UNAUTHENTICATED', message, { cause: error })
}

function at(address: string, { code, message }: CoveyError): CoveyError {
  return new CoveyError(code, `${address}: ${message}`)
}
