import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import { Server as NetServer } from 'node:net'
import { CoveyError } from '../../error/covey-error.ts'
import { createListener } from '../create-listener.ts'
import { bind } from '../tcp/bind.ts'
import { limitAccept } from '../tcp/limit-accept.ts'
import type { HandshakeGate } from '../tls/handshake-gate.ts'
import { guardHandshakes, secureServerOptions } from '../tls/secure-server.ts'
import type { Dispatcher, Listener } from '../transport.ts'
import { answerClientErrors } from './answer-client-errors.ts'
import type { RpcDoorOptions } from './call-desk.ts'
import { guardSockets } from './guard-sockets.ts'
import { limitHeads } from './limit-heads.ts'
import { limitRequests } from './limit-requests.ts'
import { refuseConnection } from './refuse-connection.ts'
import { maxHeaders } from './request-guard.ts'
import { RpcDoor } from './rpc-door.ts'
import { type HttpTarget, httpUrl, parseHttpUrl } from './wire.ts'

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

/** Name of HTTP/1.1 in the handshake of TLS. */
const alpnName = 'http/1.1'

/**
 * Takes calls over HTTP at `http://host:port`, or with `credentials` at `https://host:port` (port 0 finds a free one).
 * @throws CoveyError `ADDRESS_IN_USE`, `INVALID_SETTINGS`
 */
export async function listenHttp(
  address: string,
  dispatcher: Dispatcher,
  options: RpcDoorOptions,
): Promise<Listener> {
  const target = parseHttpUrl(address)
  const door = new RpcDoor(dispatcher, options)
  const { server, gate } = createHttpServer(target, options)
  const sockets = countSockets(server)
  guardSockets(server, options.limits)
  server.maxHeadersCount = maxHeaders + 1
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    door.handle(request, response),
  )
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // A body that is too large is refused before it is sent; for all others the answer is to go on.
    const said = Number(request.headers['content-length'] ?? 0)
    if (!(said > options.limits.maxFrameBytes)) response.writeContinue()
    server.emit('request', request, response)
  })
  limitRequests(server)
  answerClientErrors(server, options)
  limitHeads(server, options)
  const toUrl = (host: string, port: number) => httpUrl(host, port, target.protocol)
  const url = await bind(server, target, toUrl)
  const refuse = gate === undefined ? refuseConnection(options.clock) : undefined
  limitAccept(server, { ...options, ...(refuse && { refuse }) })
  const close = (done: () => void) => {
    // Calls that clients send before they have read of the end may need a socket each.
    void door.quiet().then(() => {
      // That of node:http would cut idle connections off, on which a client may be sending just now.
      NetServer.prototype.close.call(server, done)
      gate?.close()
    })
  }
  return createListener(
    url,
    { close },
    {
      get size() {
        return sockets.size
      },
      goAway: () => door.goAway(),
      drain: (signal) => door.drain(signal),
      async close() {
        door.close()
        server.close(() => {})
        // What has been answered just now may still leave.
        await new Promise<void>((resolve) => setImmediate(resolve))
        server.closeAllConnections()
      },
    },
  )
}

function countSockets(server: NetServer): ReadonlySet<unknown> {
  const sockets = new Set<unknown>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

/** A server without and with TLS. */
function createHttpServer(
  { protocol, host, port }: HttpTarget,
  options: RpcDoorOptions,
): { readonly server: Server | SecureServer; readonly gate: HandshakeGate | undefined } {
  if (protocol === 'http') return { server: createServer(serverOptions), gate: undefined }
  const { credentials, limits } = options
  if (credentials === undefined) {
    const message = `${httpUrl(host, port, protocol)}: set covey.tls (cert, key and ca) to listen there`
    throw new CoveyError('INVALID_SETTINGS', message)
  }
  const server = createSecureServer({
    ...serverOptions,
    ...secureServerOptions(credentials, limits, alpnName),
  })
  const gate = guardHandshakes(server, credentials, options)
  server.on('secureConnection', (socket) => void gate.leave(socket))
  return { server, gate }
}
