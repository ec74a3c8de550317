import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { createListener } from '../create-listener.ts'
import { limitHeads } from '../http/limit-heads.ts'
import { refuseConnection } from '../http/refuse-connection.ts'
import { serverOptions } from '../http/server.ts'
import { listenError } from '../session/listen-error.ts'
import type { Pipe, PipeEvents } from '../session/pipe.ts'
import { SessionSet } from '../session/session-set.ts'
import { limitAccept } from '../tcp/limit-accept.ts'
import { sendingBytes } from '../tcp/sending-bytes.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'
import { maxMessageBytes, subprotocol } from './wire.ts'

/** Where and from whom WebSockets are taken. */
export interface WsRoute {
  /** Path of the URL, for example `/rpc`. */
  readonly path: string
  /** Whether pages of this origin may connect. Clients that are no browsers send none. */
  allowOrigin(origin: string | undefined, request: IncomingMessage): boolean
}

/** Takes WebSockets at a path of an HTTP server that somebody else runs. */
export function acceptWebSockets(
  server: Server,
  route: WsRoute,
  dispatcher: Dispatcher,
  options: ListenOptions,
): SessionSet {
  const { limits } = options
  const sessions = new SessionSet(dispatcher, options)
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Compression would take 230 KiB for each connection.
    perMessageDeflate: false,
    maxPayload: Math.max(limits.maxFrameBytes, maxMessageBytes) + 1024,
    maxFragments: 1024,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refuse(request, route, sessions.size >= limits.maxConnections)
    if (refusal !== undefined) return endWith(socket, refusal)
    acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      sessions.add(serverPipe(webSocket, request, socket))
    })
  })
  return sessions
}

function refuse(request: IncomingMessage, route: WsRoute, full: boolean): number | undefined {
  // As it was sent: what a stranger sends need not be a URL.
  if (request.url?.split('?', 1)[0] !== route.path) return 404
  if (!route.allowOrigin(request.headers.origin, request)) return 403
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  if (!offered.split(',').some((name) => name.trim() === subprotocol)) return 400
  return full ? 503 : undefined
}

function endWith(socket: Duplex, status: number): void {
  socket.on('error', () => {})
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  )
}

function serverPipe(webSocket: WebSocket, request: IncomingMessage, socket: Duplex): Pipe {
  const { remoteAddress, remotePort } = request.socket
  return {
    protocol: 'ws',
    address: `${remoteAddress}:${remotePort}`,
    get queuedBytes() {
      return webSocket.bufferedAmount
    },
    get sendingBytes() {
      return sendingBytes(socket)
    },
    open: (events) => listen(webSocket, socket, events),
    write(bytes) {
      if (webSocket.readyState === webSocket.OPEN) webSocket.send(bytes)
      return false
    },
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    hold() {},
    end: () => webSocket.close(1000),
    destroy: () => webSocket.terminate(),
    soon: (run) => void setImmediate(run),
  }
}

function listen(webSocket: WebSocket, socket: Duplex, events: PipeEvents): void {
  let cause: Error | undefined
  webSocket.on('message', (data: RawData, isBinary) => {
    if (isBinary) events.data(data as Buffer)
    else webSocket.close(1003)
  })
  webSocket.on('error', (error) => {
    cause = error
  })
  webSocket.on('close', () => events.closed(cause))
  socket.on('drain', () => events.drained())
}

/** An HTTP server of its own that takes WebSockets only, at `ws://host:port/path`. */
export async function listenWs(
  address: string,
  dispatcher: Dispatcher,
  options: ListenOptions,
): Promise<Listener> {
  const url = new URL(address)
  const server = createServer(serverOptions, (_, response) => response.writeHead(426).end())
  const route = {
    path: url.pathname,
    allowOrigin: (origin: string | undefined) => origin === undefined,
  }
  const sessions = acceptWebSockets(server, route, dispatcher, options)
  limitHeads(server, options)
  await bind(server, url)
  limitAccept(server, { ...options, refuse: refuseConnection(options.clock) })
  url.port = String((server.address() as AddressInfo).port)
  return createListener(url.href, server, sessions)
}

function bind(server: Server, { hostname, port, href }: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(href, cause)))
    server.listen(Number(port), hostname, () => resolve())
  })
}
