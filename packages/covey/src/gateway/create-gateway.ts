import type { FastifyInstance } from 'fastify'
import type { Peer } from '../call/peer.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { createAcceptedWork } from '../rpc/create-accepted-work.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { drainAll } from '../rpc/drain-all.ts'
import { resultService } from '../rpc/result-service.ts'
import type { RpcDoorOptions } from '../transport/http/call-desk.ts'
import { RpcDoor } from '../transport/http/rpc-door.ts'
import type { Limits } from '../transport/limits.ts'
import { listenError } from '../transport/session/listen-error.ts'
import type { SessionSet } from '../transport/session/session-set.ts'
import type { Dispatcher } from '../transport/transport.ts'
import { acceptWebSockets } from '../transport/ws/server.ts'
import { allowOrigin } from './allow-origin.ts'
import { createHttpServer, securityHeaders } from './create-http-server.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { mountRpc } from './mount-rpc.ts'

/** The door of a fleet for browsers. */
export interface Gateway extends AsyncDisposable {
  /** `http://127.0.0.1:8090` */
  readonly url: string
  /** WebSockets open now. */
  readonly connections: number
  /** Who is connected now. */
  peers(): Iterable<Peer>
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
 * @throws CoveyError `ADDRESS_IN_USE`, `INVALID_SETTINGS`, `START_FAILED`
 * @example
 * const gateway = await createGateway({ context, port: 8090, services: [chatService], assets: 'web/dist' })
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { context, port, host = '127.0.0.1', origins = [], authenticate } = options
  const { clock, wheel } = context.runtime
  const limits = { ...context.runtime.limits, ...browserLimits, ...options.limits }
  const http = await createHttpServer(options)
  const { instance, log } = context
  const work = createAcceptedWork({ instance, clock, log, limits })
  const dispatcher = createDispatcher([...options.services, resultService(work)], {
    instance: context.instance,
    work,
    wheel,
    log: context.log,
    middleware: options.middleware ?? [],
  })
  const route = { path: '/rpc', allowOrigin: allowOrigin(origins) }
  const listenOptions = { limits, clock, authenticate, log: context.log }
  const sessions = acceptWebSockets(http.server, route, dispatcher, listenOptions)
  const door = openDoor(http, dispatcher, { ...listenOptions, ...route }, options)
  const url = await listen(http, host, port)
  context.log.info({ url }, 'the gateway is open')
  const gateway: Gateway = {
    url,
    get connections() {
      return sessions.size
    },
    peers: () => sessions.peers(),
    disconnect: (matches, reason) => sessions.disconnect(matches, reason),
    stop: () => stop(http, { sessions, door, work }, options),
    [Symbol.asyncDispose]: () => gateway.stop(),
  }
  return gateway
}

/** Takes calls as plain requests, if that is wanted. */
function openDoor(
  http: FastifyInstance,
  dispatcher: Dispatcher,
  common: RpcDoorOptions,
  { http: wishes }: GatewayOptions,
): RpcDoor | undefined {
  if (wishes === undefined) return undefined
  const { authenticate = common.authenticate, dora = false } = wishes
  const door = new RpcDoor(dispatcher, { ...common, authenticate, dora, headers: securityHeaders })
  mountRpc(http, door, ['/rpc', '/rpc/*', ...(dora ? ['/api/*', '/server/*'] : [])])
  return door
}

async function listen(http: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port })
  } catch (cause) {
    await http.close()
    throw listenError(`http://${host}:${port}`, cause as Error)
  }
}

/** What ends with a gateway. */
interface Parts {
  readonly sessions: SessionSet
  readonly door: RpcDoor | undefined
  readonly work: AcceptedWork
}

async function stop(
  http: FastifyInstance,
  { sessions, door, work }: Parts,
  { context, drainMs = 10_000 }: GatewayOptions,
): Promise<void> {
  const limit = new AbortController()
  const timer = context.runtime.clock.after(drainMs, () => limit.abort())
  const doors = door === undefined ? [sessions] : [sessions, door]
  await drainAll(doors, work, limit.signal)
  timer.stop()
  door?.close()
  await sessions.close()
  work.forgetResults()
  await http.close()
}
