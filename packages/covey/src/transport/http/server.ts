import { createServer, type Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { createListener } from '../create-listener.ts'
import { bind } from '../tcp/bind.ts'
import type { Dispatcher, Listener } from '../transport.ts'
import type { RpcDoorOptions } from './call-desk.ts'
import { maxHeaders } from './request-guard.ts'
import { RpcDoor } from './rpc-door.ts'
import { httpUrl, parseHttpUrl } from './wire.ts'

/**
 * Settings of `node:http` for requests of strangers. Node's own are looser: headers without number, 60 s for them,
 * connections for ever. Bodies have their time from whoever reads them, for a stream may last.
 */
export const serverOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 0,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 30_000,
  keepAlive: true,
  keepAliveInitialDelay: 10_000,
  noDelay: true,
  insecureHTTPParser: false,
  requireHostHeader: true,
} as const

/** Requests of one connection, after which it is closed. */
export const maxRequestsPerSocket = 1_000

/**
 * Takes calls over HTTP at `http://host:port` (port 0 finds a free one).
 * @throws CoveyError `ADDRESS_IN_USE`
 */
export async function listenHttp(
  address: string,
  dispatcher: Dispatcher,
  options: RpcDoorOptions,
): Promise<Listener> {
  const door = new RpcDoor(dispatcher, options)
  const server = createServer(serverOptions)
  const sockets = countSockets(server)
  server.maxConnections = options.limits.maxConnections
  server.maxHeadersCount = maxHeaders + 1
  server.maxRequestsPerSocket = maxRequestsPerSocket
  server.on('request', (request, response) => door.handle(request, response))
  server.on('checkContinue', (request, response) => {
    // A body that is too large is refused before it is sent; for all others the answer is to go on.
    const said = Number(request.headers['content-length'] ?? 0)
    if (!(said > options.limits.maxFrameBytes)) response.writeContinue()
    door.handle(request, response)
  })
  const url = await bind(server, parseHttpUrl(address), httpUrl)
  // Errors of a listening socket (out of file handles) pass; connections are taken again afterwards.
  server.on('error', () => {})
  // `Server.close` of node:http would cut idle connections off, on which a client may be sending just now.
  const taking = { close: (done: () => void) => NetServer.prototype.close.call(server, done) }
  return createListener(url, taking, {
    get size() {
      return sockets.size
    },
    drain: (signal) => door.drain(signal),
    async close() {
      door.close()
      server.close(() => {})
      // What has been answered just now may still leave.
      await new Promise<void>((resolve) => setImmediate(resolve))
      server.closeAllConnections()
    },
  })
}

function countSockets(server: Server): ReadonlySet<unknown> {
  const sockets = new Set<unknown>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}
