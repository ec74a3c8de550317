import { unlink } from 'node:fs/promises'
import {
  type AddressInfo,
  createServer,
  connect as probe,
  type Server,
  type Socket,
} from 'node:net'
import { CoveyError } from '../../error/covey-error.ts'
import { listenError, sessionListener } from '../session/session-listener.ts'
import { SessionSet } from '../session/session-set.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'
import { parseSocketUrl, type SocketTarget, socketPipe, tcpUrl } from './wire.ts'

/**
 * Takes connections at `tcp://host:port` (port 0 finds a free one) or `unix:/path` (readable and writable by this
 * user alone).
 * @throws CoveyError `ADDRESS_IN_USE`
 */
export async function listenTcp(
  address: string,
  dispatcher: Dispatcher,
  options: ListenOptions,
): Promise<Listener> {
  const target = parseSocketUrl(address)
  const sessions = new SessionSet(dispatcher, options)
  const server = createServer({ noDelay: true }, (socket) => {
    sessions.add(socketPipe(socket, target.protocol, peerAddress(socket, target)))
  })
  server.maxConnections = options.limits.maxConnections
  if (target.protocol === 'unix') await removeStaleSocket(target.path)
  if (target.protocol === 'tcp' && target.port === 0) await bindFreePort(server, target.host)
  else await bind(server, target, address)
  const bound = target.protocol === 'unix' ? address : urlOf(server)
  // Errors of a listening socket (out of file handles) pass; connections are taken again afterwards.
  server.on('error', () => {})
  return sessionListener(bound, server, sessions)
}

function peerAddress(socket: Socket, target: SocketTarget): string {
  return target.protocol === 'unix' ? target.path : `${socket.remoteAddress}:${socket.remotePort}`
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo
  return tcpUrl(address, port)
}

/**
 * Tries ports below those that systems give to outgoing connections (from 32,768 on Linux): a client that tries to reach
 * a dead server at one of those can be given that very port, and meet itself.
 */
async function bindFreePort(server: Server, host: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    try {
      return await bind(server, { protocol: 'tcp', host, port }, tcpUrl(host, port))
    } catch (error) {
      if (!(error instanceof CoveyError) || error.code !== 'ADDRESS_IN_USE') throw error
    }
  }
  await bind(server, { protocol: 'tcp', host, port: 0 }, tcpUrl(host, 0))
}

function bind(server: Server, target: SocketTarget, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = () => {
      server.off('error', onError)
      resolve()
    }
    const onError = (cause: NodeJS.ErrnoException) => {
      server.off('listening', onListening)
      reject(listenError(address, cause))
    }
    server.once('error', onError)
    server.once('listening', onListening)
    if (target.protocol === 'tcp') server.listen(target.port, target.host)
    else withPrivateMask(() => server.listen({ path: target.path }))
  })
}

/** The socket file is made by `listen` at once, with the rights that the mask leaves. */
function withPrivateMask(run: () => void): void {
  const before = process.umask(0o177)
  try {
    run()
  } finally {
    process.umask(before)
  }
}

/** A socket file outlives a process that was killed. One that nobody answers at is taken away. */
async function removeStaleSocket(path: string): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = probe({ path })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
  if (!answered) await unlink(path).catch(() => {})
}
