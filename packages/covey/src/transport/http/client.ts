import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { hasStreams } from '../mode-refusal.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { callStream } from './call-stream.ts'
import { callUnary } from './call-unary.ts'
import { ClientLink, readWelcome } from './client-link.ts'
import { credentialHeaders, errorIn, type HttpRoute } from './http-route.ts'
import { mediaType, mediaTypeOf, parseHttpUrl, rpcPath } from './wire.ts'

/**
 * Opens a link to the door at `http://host:port`: shows who calls, and learns which instance is there.
 * @throws CoveyError `UNAVAILABLE` with the reason, within `connectMs` + `handshakeMs`; `UNAUTHENTICATED`
 */
export async function connectHttp(address: string, options: ConnectOptions): Promise<Connection> {
  const target = parseHttpUrl(address)
  if (options.keys !== undefined && options.credential === undefined) {
    const message = `${address}: over HTTP a server cannot prove its key; use another transport`
    throw new CoveyError('UNAUTHENTICATED', message)
  }
  const link = await openLink(address, options)
  const { instance } = options
  if (instance !== undefined && link.welcome.instance !== instance) {
    link.close()
    const message = `instance ${instance} is not at ${address}; there is ${link.welcome.instance}`
    throw new CoveyError('UNAVAILABLE', message)
  }
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
  return new HttpConnection({ ...target, address, link, agent, options, flights: new Set() })
}

async function openLink(address: string, options: ConnectOptions): Promise<ClientLink> {
  const { host, port } = parseHttpUrl(address)
  const headers = {
    accept: `${mediaType.frames}, ${mediaType.problem}`,
    ...credentialHeaders(options),
  }
  const sent = request({ host, port, path: rpcPath, headers, agent: false })
  const limit = limitOpening(sent, address, options)
  try {
    const response = await Promise.race([answerOf(sent), limit.failed])
    if (mediaTypeOf(response.headers['content-type']) !== mediaType.frames) {
      throw await Promise.race([errorIn(response, { address, options }), limit.failed])
    }
    const first = await Promise.race([readWelcome(response), limit.failed])
    return new ClientLink(sent, response, options, first)
  } catch (error) {
    sent.destroy()
    throw error instanceof CoveyError ? error : unreachable(address, error as Error)
  } finally {
    limit.stop()
  }
}

/** Bounds the time for connecting and for the answer. */
function limitOpening(
  sent: ClientRequest,
  address: string,
  { clock, limits, signal }: ConnectOptions,
): { failed: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  const fail = (reason: string) => reject(new CoveyError('UNAVAILABLE', `${address}: ${reason}`))
  const late = (ms: number) => clock.after(ms, () => fail(`no answer within ${ms} ms`))
  let timer = late(limits.connectMs)
  const onConnect = () => {
    timer.stop()
    timer = late(limits.handshakeMs)
  }
  const onAbort = () => fail('connecting was cancelled')
  sent.once('socket', (socket) => socket.once('connect', onConnect))
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  const stop = () => {
    timer.stop()
    signal?.removeEventListener('abort', onAbort)
  }
  return { failed: promise, stop }
}

function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.end()
  })
}

function unreachable(address: string, cause: Error): CoveyError {
  return new CoveyError('UNAVAILABLE', `${address}: ${cause.message}`, { cause })
}

class HttpConnection implements Connection {
  readonly closed: Promise<CoveyError | undefined>
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #route: HttpRoute
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()
  #state: 'open' | 'draining' | 'closed'

  constructor(route: HttpRoute) {
    this.#route = route
    this.#state = route.link.goesAway ? 'draining' : 'open'
    this.closed = this.#ended.promise
    route.link.events = {
      onGoAway: () => {
        if (this.#state !== 'open') return
        this.#state = 'draining'
        route.options.onDraining?.()
      },
      onLost: (reason) => this.#end(reason),
    }
    if (route.link.lost !== undefined) this.#end(route.link.lost)
  }

  get instance(): string {
    return this.#route.link.welcome.instance
  }

  get pending(): number {
    return this.#route.flights.size
  }

  get state(): 'open' | 'draining' | 'closed' {
    return this.#state
  }

  async close(): Promise<void> {
    this.#end(undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #invoke(call: Call): Promise<unknown> {
    this.#refuse(call)
    if (call.mode !== 'wait' && call.method.kind !== 'unary') throw hasStreams(call.method)
    return call.method.kind === 'unary'
      ? callUnary(call, this.#route)
      : callStream(call, this.#route)
  }

  #refuse(call: Call): void {
    const { address, link, options, flights } = this.#route
    if (call.cancelled !== undefined) throw call.cancelled
    if (this.#state === 'closed') throw new CoveyError('UNAVAILABLE', `${address}: no connection`)
    if (this.#state === 'draining') {
      throw new CoveyError('DRAINING', `instance ${link.welcome.instance} is stopping`)
    }
    if (flights.size >= options.limits.maxCallsPerConnection) {
      const message = `${flights.size} calls are in flight to ${address}`
      throw new CoveyError('RESOURCE_EXHAUSTED', message)
    }
  }

  #end(reason: CoveyError | undefined): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#route.link.close()
    const why = reason ?? new CoveyError('CANCELLED', 'the connection was closed by this side')
    for (const flight of [...this.#route.flights]) flight.fail(why)
    this.#route.agent.destroy()
    this.#ended.resolve(reason)
  }
}
