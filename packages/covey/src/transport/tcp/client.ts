import { connect, type Socket } from 'node:net'
import { afterReading } from '../../base/after-reading.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ClientSession } from '../session/client-session.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import {
  parseSocketUrl,
  readingInto,
  type SocketPipe,
  type SocketTarget,
  socketPipe,
} from './wire.ts'

/**
 * Connects to `tcp://host:port` or `unix:/path` and shakes hands.
 * @throws CoveyError `UNAVAILABLE` with the reason, within `connectMs` + `handshakeMs`
 */
export async function connectTcp(address: string, options: ConnectOptions): Promise<Connection> {
  const target = parseSocketUrl(address)
  let pipe: SocketPipe | undefined
  const reading = readingInto(() => pipe)
  const socket = await openSocket(target, address, options, reading)
  pipe = socketPipe(socket, target.protocol, address)
  pipe.lends = true
  const session = new ClientSession(pipe, options)
  try {
    await session.handshake()
    return session
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function openSocket(
  target: SocketTarget,
  address: string,
  { limits, clock, signal }: ConnectOptions,
  reading: ReturnType<typeof readingInto>,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      target.protocol === 'unix'
        ? { path: target.path, ...reading }
        : { host: target.host, port: target.port, ...reading },
    )
    const fail = (reason: string, cause?: unknown) => {
      settle()
      socket.destroy()
      reject(new CoveyError('UNAVAILABLE', `${address}: ${reason}`, { cause }))
    }
    const onError = (error: Error) => fail(error.message, error)
    const onAbort = () => fail('connecting was cancelled', signal?.reason)
    const timer = afterReading(clock, limits.connectMs, () =>
      fail(`no answer within ${limits.connectMs} ms`),
    )
    const settle = () => {
      timer.stop()
      socket.off('error', onError)
      signal?.removeEventListener('abort', onAbort)
    }
    socket.once('error', onError)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) return onAbort()
    socket.once('connect', () => {
      if (isOwnEcho(socket)) return fail('nobody listens there')
      settle()
      resolve(socket)
    })
  })
}

/** A connection to a port from that same port: the system let the socket meet itself. */
function isOwnEcho(socket: Socket): boolean {
  return (
    socket.localPort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  )
}
