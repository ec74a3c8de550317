import { connect, type Socket } from 'node:net'
import { unreachable } from '../limit-opening.ts'
import { connectSession } from '../session/connect-session.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { openSocket } from './open-socket.ts'
import { parseSocketUrl, readingInto, type SocketPipe, socketPipe } from './wire.ts'

/**
 * Connects to `tcp://host:port` or `unix:/path` and shakes hands.
 * @throws CoveyError `UNAVAILABLE` with the reason, within `connectMs` + `handshakeMs`
 */
export async function connectTcp(address: string, options: ConnectOptions): Promise<Connection> {
  const target = parseSocketUrl(address)
  let pipe: SocketPipe | undefined
  const place =
    target.protocol === 'unix' ? { path: target.path } : { host: target.host, port: target.port }
  const socket = await openSocket(address, options, {
    connect: () => connect({ ...place, ...readingInto(() => pipe) }),
    event: 'connect',
    check: (socket) => requireOther(socket, address),
  })
  pipe = socketPipe(socket, target.protocol, address, options.limits)
  pipe.lends = true
  return connectSession(pipe, options)
}

/** A connection to a port from that same port is none: the system let the socket meet itself. */
function requireOther({ localPort, localAddress, remotePort, remoteAddress }: Socket, to: string) {
  if (localPort === undefined || localPort !== remotePort || localAddress !== remoteAddress) return
  throw unreachable(to, 'nobody listens there')
}
