import type { Socket } from 'node:net'

/**
 * Resets a connection (RST), also while its end is on its way. Node's `resetAndDestroy` loses a socket then: it tells of `reset EINVAL`,
 * never closes, and the process does not come to its end (Node 26.10, `uv_tcp_close_reset` refuses while a shutdown is under way).
 */
export function resetSocket(socket: Socket): void {
  const { connecting, writableEnded, writableFinished, writableLength } = socket
  const ending = writableEnded && !writableFinished && writableLength === 0
  if (connecting) socket.destroy()
  else if (ending) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}
