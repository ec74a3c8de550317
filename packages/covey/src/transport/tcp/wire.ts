import type { Socket } from 'node:net'
import type { Pipe, PipeEvents } from '../session/pipe.ts'

/** A socket as a pipe. It takes the socket over: nobody else may read from it or write to it. */
export function socketPipe(socket: Socket, protocol: string, address: string): Pipe {
  socket.setNoDelay(true)
  return {
    protocol,
    address,
    get queuedBytes() {
      return socket.writableLength
    },
    open: (events) => listen(socket, events),
    write(bytes) {
      if (!socket.writable) return false
      socket.write(bytes)
      // Nothing left to write: the kernel (or TLS) has its copy of all of it.
      return socket.writableLength === 0
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    hold: (on) => void (on ? socket.ref() : socket.unref()),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    soon: (run) => void setImmediate(run),
  }
}

function listen(socket: Socket, events: PipeEvents): void {
  let cause: Error | undefined
  socket.on('data', (bytes: Buffer) => events.data(bytes))
  socket.on('drain', () => events.drained())
  socket.on('error', (error) => {
    cause = error
  })
  socket.on('end', () => socket.destroy())
  socket.on('close', () => events.closed(cause))
}

/** Where a URL of this transport leads. */
export type SocketTarget =
  | { readonly protocol: 'tcp'; readonly host: string; readonly port: number }
  | { readonly protocol: 'unix'; readonly path: string }

/**
 * Reads `tcp://127.0.0.1:4100`, `tcp://[::1]:4100` or `unix:/run/users.sock`.
 * @throws TypeError naming what is wrong
 */
export function parseSocketUrl(address: string): SocketTarget {
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length)
    if (path === '') throw new TypeError(`address "${address}": a path is missing behind "unix:"`)
    return { protocol: 'unix', path }
  }
  const match = /^tcp:\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]]+)):(\d{1,5})$/i.exec(address)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new TypeError(`address "${address}": use tcp://host:port or unix:/path`)
  }
  return { protocol: 'tcp', host: (match[1] ?? match[2])!, port }
}

/** The URL of a TCP address. */
export function tcpUrl(host: string, port: number): string {
  return host.includes(':') ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`
}
