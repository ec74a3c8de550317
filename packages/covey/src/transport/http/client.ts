import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ConnectionLife } from '../connection-life.ts'
import { closedHere, instanceStopping } from '../endings.ts'
import { limitOpening, unreachable } from '../limit-opening.ts'
import { demandsKey } from '../link-options.ts'
import { hasStreams } from '../mode-refusal.ts'
import { servedToTheEnd } from '../served-to-the-end.ts'
import { serverRefusal } from '../tls/server-trust.ts'
import type { TlsCredentials } from '../tls/tls-credentials.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { whyUnreachable } from '../why-unreachable.ts'
import { callStream } from './call-stream.ts'
import { callUnary } from './call-unary.ts'
import { ClientLink, readWelcome } from './client-link.ts'
import { Flights } from './flights.ts'
import { agentsFor, destroyAgents } from './http-agents.ts'
import { credentialHeaders, errorIn, type HttpRoute } from './http-route.ts'
import { mediaType, mediaTypeOf, parseHttpUrl, rpcPath } from './wire.ts'

/**
 * Opens a link to the door at `http://host:port` or `https://host:port`: shows who calls, and learns which instance is there.
 * @param credentials for https; without them the authorities of the system count
 * @throws CoveyError `UNAVAILABLE` with the reason, within `connectMs` + `handshakeMs`; `UNAUTHENTICATED`
 */
export async function connectHttp(
  address: string,
  options: ConnectOptions,
  credentials?: TlsCredentials,
): Promise<Connection> {
  const target = parseHttpUrl(address)
  const proved = options.credential !== undefined || credentials !== undefined
  if (demandsKey(options) && !proved) {
    const message = `${address}: over HTTP a server cannot prove its key; use another transport`
    throw new CoveyError('UNAUTHENTICATED', message)
  }
  const agents = agentsFor(target, credentials)
  try {
    const link = await openLink(address, options, agents.streams)
    requireInstance(link, address, options)
    return new HttpConnection({ ...target, address, link, agents, options, flights: new Flights() })
  } catch (error) {
    destroyAgents(agents)
    throw error
  }
}

/** @throws CoveyError `UNAVAILABLE` if another instance listens there */
function requireInstance(link: ClientLink, address: string, { instance }: ConnectOptions): void {
  if (instance === undefined || link.welcome.instance === instance) return
  link.close()
  const message = `instance ${instance} is not at ${address}; there is ${link.welcome.instance}`
  throw new CoveyError('UNAVAILABLE', message)
}

async function openLink(
  address: string,
  options: ConnectOptions,
  agent: Agent,
): Promise<ClientLink> {
  const { protocol, host, port } = parseHttpUrl(address)
  const headers = {
    accept: `${mediaType.frames}, ${mediaType.problem}`,
    ...credentialHeaders(options),
  }
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => {})
  const limit = limitOpening(address, options, late.reject)
  const sent = request({ protocol: `${protocol}:`, host, port, path: rpcPath, headers, agent })
  sent.once('socket', (socket) => socket.once('connect', limit.answered))
  const inTime = <T>(step: Promise<T>) => Promise.race([step, late.promise])
  try {
    const response = await inTime(answerOf(sent))
    if (mediaTypeOf(response.headers['content-type']) !== mediaType.frames) {
      throw noDoor(response, address, await inTime(errorIn(response, { address, options })))
    }
    const first = await inTime(readWelcome(response, address))
    return new ClientLink(sent, response, options, first, asker(address, agent))
  } catch (error) {
    sent.destroy()
    throw openingFailure(address, error as Error)
  } finally {
    limit.stop()
  }
}

/** Asks whether an instance lives, on a socket of its own; the answer that counts comes on the link. */
function asker(address: string, agent: Agent): (link: string, calls: number | undefined) => void {
  const { protocol, host, port } = parseHttpUrl(address)
  const path = `${rpcPath}?link=`
  let last: ClientRequest | undefined
  return (link, calls) => {
    last?.destroy()
    const target = { protocol: `${protocol}:`, host, port, agent }
    const said = calls === undefined ? '' : `&calls=${calls}`
    const asked = path + encodeURIComponent(link) + said
    const sent = request({ ...target, method: 'HEAD', path: asked })
    last = sent
    // Nobody waits for it, so it keeps no process alive.
    sent.once('socket', (socket) => socket.unref())
    sent.on('response', (response) => response.resume())
    sent.on('error', () => {})
    sent.on('close', () => {
      if (last === sent) last = undefined
    })
    sent.end()
  }
}

/** An HTTP server, but not one that takes calls; what else a door says stands. */
function noDoor({ statusCode }: IncomingMessage, address: string, error: CoveyError): CoveyError {
  if (error.code !== 'NOT_FOUND' && error.code !== 'PROTOCOL_ERROR') return error
  const message = `${address}: no calls are taken there: GET ${rpcPath} is answered with HTTP ${statusCode}`
  return new CoveyError('PROTOCOL_ERROR', message, { cause: error })
}

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.end()
  })
}

function openingFailure(address: string, cause: Error): CoveyError {
  if (cause instanceof CoveyError) return cause
  return serverRefusal(address, cause) ?? unreachable(address, whyUnreachable(cause), cause)
}

/** Time for answers behind the end of the link, in milliseconds. */
const lastAnswersMs = 500

class HttpConnection implements Connection {
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #route: HttpRoute
  readonly #life = new ConnectionLife()

  constructor(route: HttpRoute) {
    this.#route = route
    if (route.link.goesAway) this.#life.drain()
    route.link.events = {
      get calls() {
        return route.flights.size
      },
      onStalled: () => route.options.onStalled?.(),
      onGoAway: () => {
        if (this.#life.drain()) route.options.onDraining?.()
      },
      onEnded: (reason) => this.#ended(reason),
      onLost: (reason) => this.#end(reason),
    }
    route.flights.onNone = () => route.link.idle()
    if (route.link.lost !== undefined) this.#end(route.link.lost)
  }

  get instance(): string {
    return this.#route.link.welcome.instance
  }

  get pending(): number {
    return this.#route.flights.size
  }

  get state(): Connection['state'] {
    const { state } = this.#life
    return state === 'open' && this.#route.link.stalled ? 'stalled' : state
  }

  get stalledMs(): number | undefined {
    return this.#route.link.stalledMs
  }

  get closed(): Promise<CoveyError | undefined> {
    return this.#life.closed
  }

  async close(): Promise<void> {
    this.#life.end(undefined)
    this.#cutOff(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #invoke(call: Call): Promise<unknown> {
    this.#refuse(call)
    if (call.mode !== 'wait' && call.method.kind !== 'unary') throw hasStreams(call.method)
    this.#route.link.sent()
    return call.method.kind === 'unary'
      ? callUnary(call, this.#route)
      : callStream(call, this.#route)
  }

  #refuse(call: Call): void {
    const { address, link, options, flights } = this.#route
    if (call.cancelled !== undefined) throw call.cancelled
    if (this.state === 'closed') throw new CoveyError('UNAVAILABLE', `${address}: no connection`)
    if (this.state === 'draining' && !servedToTheEnd(call.method)) {
      throw instanceStopping(link.welcome.instance)
    }
    if (flights.size >= options.limits.maxCallsPerConnection) {
      const message = `${flights.size} calls are in flight to ${address}`
      throw new CoveyError('RESOURCE_EXHAUSTED', message)
    }
  }

  #end(reason: CoveyError): void {
    if (this.#life.end(reason)) this.#cutOff(reason)
  }

  /** The last answers were sent before the link ended, but sockets have no order among them. */
  #ended(reason: CoveyError): void {
    if (!this.#life.end(reason)) return
    const { agents, flights, options } = this.#route
    if (flights.size === 0) return this.#cutOff(reason)
    const timer = options.clock.after(lastAnswersMs, () => this.#cutOff(reason))
    flights.onNone = () => {
      timer.stop()
      destroyAgents(agents)
    }
  }

  #cutOff(reason: CoveyError | undefined): void {
    this.#route.link.close()
    this.#route.flights.fail(reason ?? closedHere())
    destroyAgents(this.#route.agents)
  }
}
