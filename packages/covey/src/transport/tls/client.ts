import { connect } from 'node:tls'
import { connectSession } from '../session/connect-session.ts'
import { openSocket } from '../tcp/open-socket.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { secureClientOptions, serverRefusal } from './server-trust.ts'
import { type TlsCredentials, tlsProtocol } from './tls-credentials.ts'
import { parseTlsUrl, tlsPipe } from './wire.ts'

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
  const { host, port } = parseTlsUrl(address)
  const socket = await openSocket(address, options, {
    connect: () => connect({ host, port, ...secureClientOptions(credentials, tlsProtocol) }),
    event: 'secureConnect',
    check: () => {},
    meaning: (error) => serverRefusal(address, error),
  })
  return connectSession(tlsPipe(socket, address, options.limits), options)
}
