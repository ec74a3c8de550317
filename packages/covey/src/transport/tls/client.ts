import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { CoveyError } from '../../error/covey-error.ts'
import { ClientSession } from '../session/client-session.ts'
import { openSocket } from '../tcp/open-socket.ts'
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
  const { current } = credentials
  const { host, port } = parseTlsUrl(address)
  const socket = await openSocket(address, options, {
    connect: () =>
      connect({
        host,
        port,
        secureContext: current.context,
        ALPNProtocols: [tlsProtocol],
        // With SPIFFE ids it matters who answers, not at which address.
        checkServerIdentity:
          current.trustDomain === undefined ? checkServerIdentity : () => undefined,
      }),
    event: 'secureConnect',
    check: (socket) => requireBelieved(socket, current.trustDomain, address),
    meaning: (error) => refusal(address, error),
  })
  const session = new ClientSession(tlsPipe(socket, address), options)
  await session.handshake()
  return session
}

function requireBelieved(socket: TLSSocket, trustDomain: string | undefined, address: string) {
  try {
    requireTrustDomain(socket.getPeerX509Certificate(), trustDomain)
  } catch (error) {
    const { code, message } = CoveyError.from(error)
    throw new CoveyError(code, `${address}: ${message}`)
  }
}

/** The error for a certificate that is not believed; undefined when something else is wrong. */
function refusal(address: string, error: Error & { code?: string }): CoveyError | undefined {
  const code = error.code ?? ''
  if (!/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|CRL|ISSUER/.test(code)) return undefined
  const message = `${address}: the certificate of the server is refused: ${error.message}`
  return new CoveyError('UNAUTHENTICATED', message, { cause: error })
}
