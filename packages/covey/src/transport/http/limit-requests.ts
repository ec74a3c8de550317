import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection, after which it is closed: none is to be busy for ever with one client of many. */
export const maxRequestsPerSocket = 1_000

/**
 * Closes connections behind the answer to their last request. Node alone only says so in that answer, refuses what comes behind it, and
 * waits for the client to close.
 */
export function limitRequests(
  server: Pick<Server, 'maxRequestsPerSocket' | 'prependListener'>,
): void {
  server.maxRequestsPerSocket = maxRequestsPerSocket
  const counts = new WeakMap<Socket, number>()
  const count = ({ socket }: IncomingMessage, response: ServerResponse) => {
    const requests = (counts.get(socket) ?? 0) + 1
    counts.set(socket, requests)
    if (requests >= maxRequestsPerSocket) response.setHeader('connection', 'close')
  }
  // Not of `checkContinue`: who listens to it has to answer it.
  server.prependListener('request', count)
}
