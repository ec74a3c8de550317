import type { FastifyInstance } from 'fastify'
import type { Middleware } from '../call/handler.ts'
import type { Peer } from '../call/peer.ts'
import type { AnyService } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import type { Runtime } from '../rpc/runtime.ts'
import type { Limits } from '../transport/limits.ts'
import type { SessionSet } from '../transport/session/session-set.ts'
import type { Authenticate } from '../transport/transport.ts'
import { acceptWebSockets } from '../transport/ws/server.ts'
import { allowOrigin } from './allow-origin.ts'
import { createHttpServer } from './create-http-server.ts'

/** Settings of a gateway. */
export interface GatewayOptions {
  /** What gives a resource its place: the context of the application. */
  readonly context: { readonly instance: string; readonly runtime: Runtime; readonly log: Log }
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string
  readonly port: number
  /** The services that pages may call, over a WebSocket at `/rpc`. */
  readonly services: readonly AnyService[]
  /** Turns the credential of a new connection into an identity. Without it everybody may call. */
  readonly authenticate?: Authenticate
  /** Origins whose pages may connect, beside the gateway's own: `https://chat.example`. */
  readonly origins?: readonly string[]
  /** Directory of a built page, served at `/`; unknown paths give its `index.html`. */
  readonly assets?: string
  /** Adds routes of plain HTTP. */
  readonly routes?: (http: FastifyInstance) => void | Promise<void>
  readonly middleware?: readonly Middleware[]
  /** Bounds on what browsers send. */
  readonly limits?: Partial<Limits>
  /** Time for calls of browsers to end when it stops, in milliseconds. Default 10,000. */
  readonly drainMs?: number
}

/** The door of a fleet for browsers. */
export interface Gateway extends AsyncDisposable {
  /** `http://127.0.0.1:8090` */
  readonly url: string
  /** WebSockets open now. */
  readonly connections: number
  /** Cuts off the connections that match, telling them why. */
  disconnect(matches: (peer: Peer) => boolean, reason: CoveyError): void
  /** Lets calls end, then closes everything. */
  stop(): Promise<void>
}

/** What browsers may do at most; they are strangers. */
const browserLimits: Partial<Limits> = {
  maxFrameBytes: 256 * 1024,
  maxCallsPerConnection: 100,
  maxQueuedBytes: 256 * 1024,
  streamWindowBytes: 64 * 1024,
  pingMs: 10_000,
  silenceMs: 30_000,
  partialFrameMs: 10_000,
}

/**
 * Opens a door for browsers: HTTP with a page and routes, and contracts over WebSocket.
 *
 * @throws CoveyError `ADDRESS_IN_USE`, `START_FAILED`
 * @example
 * const gateway = await createGateway({ context, port: 8090, services: [chatService], assets: 'web/dist' })
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { context, port, host = '127.0.0.1', origins = [], authenticate } = options
  const { clock, wheel } = context.runtime
  const limits = { ...context.runtime.limits, ...browserLimits, ...options.limits }
  const http = await createHttpServer(options)
  const dispatcher = createDispatcher(options.services, {
    instance: context.instance,
    wheel,
    log: context.log,
    middleware: options.middleware ?? [],
  })
  const route = { path: '/rpc', allowOrigin: allowOrigin(origins) }
  const listenOptions = { limits, clock, authenticate }
  const sessions = acceptWebSockets(http.server, route, dispatcher, listenOptions)
  const url = await listen(http, host, port)
  context.log.info({ url }, 'the gateway is open')
  const gateway: Gateway = {
    url,
    get connections() {
      return sessions.size
    },
    disconnect: (matches, reason) => sessions.disconnect(matches, reason),
    stop: () => stop(http, sessions, options),
    [Symbol.asyncDispose]: () => gateway.stop(),
  }
  return gateway
}

async function listen(http: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port })
  } catch (cause) {
    await http.close()
    const { code, message } = cause as NodeJS.ErrnoException
    const address = `http://${host}:${port}`
    if (code === 'EADDRINUSE') {
      const fix = 'stop that process, or set another port'
      throw new CoveyError('ADDRESS_IN_USE', `${address} is in use by another process: ${fix}`, {
        cause,
      })
    }
    throw new CoveyError('START_FAILED', `${address}: ${message}`, { cause })
  }
}

async function stop(
  http: FastifyInstance,
  sessions: SessionSet,
  { context, drainMs = 10_000 }: GatewayOptions,
): Promise<void> {
  const limit = new AbortController()
  const timer = context.runtime.clock.after(drainMs, () => limit.abort())
  await sessions.drain(limit.signal)
  timer.stop()
  await sessions.close()
  await http.close()
}
