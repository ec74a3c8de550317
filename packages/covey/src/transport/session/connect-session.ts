import type { Connection, ConnectOptions } from '../transport.ts'
import { ClientSession } from './client-session.ts'
import type { Pipe } from './pipe.ts'

/**
 * Makes a connection of a pipe that leads to a server's session: shakes hands. The other end is the `add` of a `SessionSet`.
 * @throws CoveyError `UNAVAILABLE`, `UNAUTHENTICATED`, `PROTOCOL_ERROR`, within `handshakeMs`
 */
export async function connectSession(pipe: Pipe, options: ConnectOptions): Promise<Connection> {
  const session = new ClientSession(pipe, options)
  await session.handshake()
  return session
}
