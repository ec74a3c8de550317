import type { FastifyInstance } from 'fastify'
import type { Peer } from '../call/peer.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { createAcceptedWork } from '../rpc/create-accepted-work.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { drainAll } from '../rpc/drain-all.ts'
import { resultContract } from '../rpc/result-contract.ts'
import { resultService } from '../rpc/result-service.ts'
import type { RpcDoorOptions } from '../transport/http/call-desk.ts'
import { RpcDoor } from '../transport/http/rpc-door.ts'
import type { Limits } from '../transport/limits.ts'
import type { SessionSet } from '../transport/session/session-set.ts'
import type { Dispatcher } from '../transport/transport.ts'
import { acceptWebSockets, type WsRoute } from '../transport/ws/server.ts'
import { allowOrigin } from './allow-origin.ts'
import { headersOf } from './create-http-server.ts'
import { type GatewayFront, openFront } from './gateway-front.ts'
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
  /** Lets calls and requests end, for `drainMs` at most, then closes everything. */
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
  maxConnectsPerSecond: 20,
}

/**
 * Opens a door for browsers: HTTP with a page and routes, and contracts over WebSocket.
 *
 * @throws CoveyError `ADDRESS_IN_USE`, `INVALID_SETTINGS`, `START_FAILED`
 * @example
 * const gateway = await createGateway({ context, port: 8090, services: [chatService], assets: 'web/dist' })
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { context, origins = [], authenticate } = options
  const { clock, wheel } = context.runtime
  const limits = { ...context.runtime.limits, ...browserLimits, ...options.limits }
  const front = await openFront(options, limits)
  const { http } = front
  const { instance, log } = context
  const work = createAcceptedWork({ instance, clock, log, limits })
  const dispatcher = createDispatcher([...options.services, resultService(work)], {
    instance: context.instance,
    work,
    wheel,
    log: context.log,
    metrics: context.metrics,
    admission: (service) => (service === resultContract.name ? undefined : context.admission),
    middleware: options.middleware ?? [],
  })
  const route = { path: '/rpc', allowOrigin: allowOrigin(origins) }
  const listenOptions = { limits, clock, authenticate, log: context.log }
  const wsRoute: WsRoute = {
    ...route,
    allowOrigin: (origin, request) => front.takes(request) && route.allowOrigin(origin, request),
  }
  const sessions = acceptWebSockets(http.server, wsRoute, dispatcher, listenOptions)
  const door = openDoor(http, dispatcher, { ...listenOptions, ...route }, options)
  const url = await front.listen()
  context.log.info({ url }, 'the gateway is open')
  const gateway: Gateway = {
    url,
    get connections() {
      return sessions.size
    },
    peers: () => sessions.peers(),
    disconnect: (matches, reason) => sessions.disconnect(matches, reason),
    stop: () => stop({ front, sessions, door, work }, options),
    [Symbol.asyncDispose]: () => gateway.stop(),
  }
  return gateway
}

/** Takes calls as plain requests, if that is wanted. */
function openDoor(
  http: FastifyInstance,
  dispatcher: Dispatcher,
  common: RpcDoorOptions,
  options: GatewayOptions,
): RpcDoor | undefined {
  const { http: wishes } = options
  if (wishes === undefined) return undefined
  const { authenticate = common.authenticate, dora = false } = wishes
  const headers = headersOf(options)
  const door = new RpcDoor(dispatcher, { ...common, authenticate, dora, headers })
  mountRpc(http, door, ['/rpc', '/rpc/*', ...(dora ? ['/api/*', '/server/*'] : [])])
  return door
}

/** What ends with a gateway. */
interface Parts {
  readonly front: GatewayFront
  readonly sessions: SessionSet
  readonly door: RpcDoor | undefined
  readonly work: AcceptedWork
}

async function stop(
  { front, sessions, door, work }: Parts,
  { context, drainMs = 10_000 }: GatewayOptions,
): Promise<void> {
  const limit = new AbortController()
  const timer = context.runtime.clock.after(drainMs, () => limit.abort())
  const doors = door === undefined ? [sessions] : [sessions, door]
  await drainAll(doors, work, limit.signal)
  door?.close()
  await sessions.close()
  work.forgetResults()
  await front.close(limit.signal)
  timer.stop()
}
