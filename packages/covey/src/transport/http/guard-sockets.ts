import type { Server, Socket } from 'node:net'
import type { Limits } from '../limits.ts'
import { countSocket, guard } from '../tcp/guard.ts'

/** Has the system ask the machines of all clients of a server whether they are there, as on the other transports. */
export function guardSockets(server: Pick<Server, 'on'>, limits: Limits): void {
  server.on('connection', (socket: Socket) => {
    countSocket(1)
    socket.once('close', () => countSocket(-1))
    guard(socket, limits)
  })
}
