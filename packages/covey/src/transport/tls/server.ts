import { createServer } from 'node:tls'
import { sessionListener } from '../session/session-listener.ts'
import { SessionSet } from '../session/session-set.ts'
import { bind } from '../tcp/bind.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'
import { type TlsCredentials, tlsProtocol, tlsVersion } from './tls-credentials.ts'
import { parseTlsUrl, requireTrustDomain, tlsPipe, tlsUrl } from './wire.ts'

/**
 * Takes connections at `tls://host:port` (port 0 finds a free one) from peers whose certificate its authorities have signed.
 * New credentials are used for the connections that follow; those that are open go on.
 * @throws CoveyError `ADDRESS_IN_USE`
 */
export async function listenTls(
  address: string,
  credentials: TlsCredentials,
  dispatcher: Dispatcher,
  options: ListenOptions,
): Promise<Listener> {
  const target = parseTlsUrl(address)
  const sessions = new SessionSet(dispatcher, options)
  const server = createServer(
    {
      ...credentials.current.material,
      minVersion: tlsVersion,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: [tlsProtocol],
      handshakeTimeout: options.limits.handshakeMs,
      noDelay: true,
    },
    (socket) => {
      try {
        requireTrustDomain(socket.getPeerX509Certificate(), credentials.current.trustDomain)
      } catch {
        return void socket.destroy()
      }
      sessions.add(tlsPipe(socket, `${socket.remoteAddress}:${socket.remotePort}`))
    },
  )
  server.maxConnections = options.limits.maxConnections
  // A stranger that cannot prove who it is has been told so by TLS itself.
  server.on('tlsClientError', (_, socket) => void socket.destroy())
  const url = await bind(server, target, tlsUrl)
  // Errors of a listening socket (out of file handles) pass; connections are taken again afterwards.
  server.on('error', () => {})
  const forget = credentials.onChange(() => {
    server.setSecureContext({ ...credentials.current.material, minVersion: tlsVersion })
  })
  server.once('close', forget)
  return sessionListener(url, server, sessions)
}
