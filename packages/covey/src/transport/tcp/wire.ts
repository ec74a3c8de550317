import type { OnReadOpts, Socket } from 'node:net'
import { withoutUser } from '../../base/without-user.ts'
import type { Limits } from '../limits.ts'
import type { Pipe, PipeEvents } from '../session/pipe.ts'
import { countSocket, guard } from './guard.ts'
import { keepFreedMemory } from './keep-freed-memory.ts'
import { sendingBytes } from './sending-bytes.ts'

/** A socket as a pipe. It takes the socket over: nobody else may read from it or write to it. */
export function socketPipe(
  socket: Socket,
  protocol: string,
  address: string,
  limits: Limits,
): SocketPipe {
  socket.setNoDelay(true)
  keepFreedMemory()
  // The other end of a unix socket is on this machine: when its process is gone, the system says so at once.
  const guarded = protocol === 'unix' || guard(socket, limits)
  return new SocketPipe(socket, protocol, address, guarded)
}

/** Where all sockets that this process opened put what they read: it is looked at before another one can read. */
let readBuffer: Uint8Array | undefined

/** Fewer and larger reads: 64 KiB make half the bytes a second. */
const readBytes = 256 * 1024

/**
 * Options of a socket that reads into memory that is used again and again, which takes a quarter of the time of new memory
 * for each read. Only for sockets of `connect`; Node has nothing like it for those of a server.
 * @param pipe the pipe over it, once there is one
 */
export function readingInto(pipe: () => SocketPipe | undefined): { onread: OnReadOpts } {
  // Windows reads ahead, so that each socket needs its own.
  const own = process.platform === 'win32'
  if (!own) readBuffer ??= new Uint8Array(readBytes)
  return {
    onread: {
      buffer: readBuffer ?? new Uint8Array(readBytes),
      callback(size, bytes) {
        pipe()?.receive(bytes.subarray(0, size))
        return true
      },
    },
  }
}

/** A class, and listeners that find their pipe by themselves, so that ten thousand of them do not hold ten functions each. */
export class SocketPipe implements Pipe {
  /** Set where the socket reads by `readingInto`. */
  lends = false
  readonly protocol: string
  readonly address: string
  readonly guarded: boolean
  events: PipeEvents | undefined
  cause: Error | undefined
  readonly #socket: Socket

  constructor(socket: Socket, protocol: string, address: string, guarded: boolean) {
    this.#socket = socket
    this.protocol = protocol
    this.address = address
    this.guarded = guarded
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  get sendingBytes(): number | undefined {
    return sendingBytes(this.#socket)
  }

  open(events: PipeEvents): void {
    countSocket(1)
    this.events = events
    const socket: OwnedSocket = this.#socket
    socket[ownPipe] = this
    socket.on('data', onData)
    socket.on('drain', onDrain)
    socket.on('error', onError)
    socket.on('end', onEnd)
    socket.on('close', onClose)
  }

  /** For a socket that does not emit what it reads. */
  receive(bytes: Uint8Array): void {
    this.events?.data(bytes)
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (!socket.writable) return false
    socket.write(bytes)
    // Nothing left to write: the kernel (or TLS) has its copy of all of it.
    return socket.writableLength === 0
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  hold(on: boolean): void {
    if (on) this.#socket.ref()
    else this.#socket.unref()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  soon(run: () => void): void {
    setImmediate(run)
  }
}

const ownPipe = Symbol('pipe')
type OwnedSocket = Socket & { [ownPipe]?: SocketPipe }

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[ownPipe]!.events!.data(bytes)
}

function onDrain(this: OwnedSocket): void {
  this[ownPipe]!.events!.drained()
}

function onError(this: OwnedSocket, error: Error): void {
  this[ownPipe]!.cause = error
}

function onEnd(this: OwnedSocket): void {
  this.destroy()
}

function onClose(this: OwnedSocket): void {
  countSocket(-1)
  const { events, cause } = this[ownPipe]!
  events!.closed(cause && explained(cause))
}

/** Says what the system means when what it asked or sent was not confirmed. */
function explained(cause: Error & { code?: string }): Error {
  if (cause.code !== 'ETIMEDOUT') return cause
  const message =
    "the peer's machine, or the way to it, is gone: the system has no answer from it (ETIMEDOUT)"
  return new Error(message, { cause })
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
    throw new TypeError(`address "${withoutUser(address)}": use tcp://host:port or unix:/path`)
  }
  return { protocol: 'tcp', host: (match[1] ?? match[2])!, port }
}

/** The URL of a TCP address. */
export function tcpUrl(host: string, port: number): string {
  return host.includes(':') ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`
}
