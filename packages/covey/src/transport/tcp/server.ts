import { unlink } from 'node:fs/promises'
import { createServer, connect as probe, type Server, type Socket } from 'node:net'
import { createListener } from '../create-listener.ts'
import { SessionSet } from '../session/session-set.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'
import { bind, listen } from './bind.ts'
import { limitAccept } from './limit-accept.ts'
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
    const peer = peerAddress(socket, target)
    sessions.add(socketPipe(socket, target.protocol, peer, options.limits))
  })
  const bound =
    target.protocol === 'tcp'
      ? await bind(server, target, tcpUrl)
      : await bindSocketFile(server, target.path, address)
  limitAccept(server, options)
  return createListener(bound, server, sessions)
}

function peerAddress(socket: Socket, target: SocketTarget): string {
  if (target.protocol === 'unix') return target.path
  // In one piece: a text made by `+` keeps its parts beside it.
  return [socket.remoteAddress, socket.remotePort].join(':')
}

async function bindSocketFile(server: Server, path: string, address: string): Promise<string> {
  await removeStaleSocket(path)
  await listen(server, () => withPrivateMask(() => server.listen({ path })), address)
  return address
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
