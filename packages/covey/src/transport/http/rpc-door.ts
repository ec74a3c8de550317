import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http'
import { CoveyError } from '../../error/covey-error.ts'
import { reportFailure } from '../../observe/report-failure.ts'
import type { Dispatcher } from '../transport.ts'
import { answeredToTheEnd, methodForm, resultForm } from './answered-to-the-end.ts'
import { CallDesk, type RpcDoorOptions } from './call-desk.ts'
import { isDoraPath, serveDora } from './dora/serve-dora.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { LinkSet } from './link-set.ts'
import { refuse } from './request-guard.ts'
import { serveBatch } from './serve-batch.ts'
import { serveMethod } from './serve-method.ts'
import { serveResult } from './serve-result.ts'
import { headerName, rpcPath } from './wire.ts'

/**
 * Serves contracts to whoever speaks HTTP: everything below `/rpc`. It is a request handler that any `node:http` server
 * can use, and owns no socket.
 */
export class RpcDoor {
  readonly #desk: CallDesk
  readonly #links: LinkSet

  constructor(dispatcher: Dispatcher, options: RpcDoorOptions) {
    this.#desk = new CallDesk(dispatcher, options)
    this.#links = new LinkSet(dispatcher, options)
  }

  /** Requests that are being answered. */
  get running(): number {
    return this.#desk.running
  }

  /** Answers one request. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#desk.open(request, response)
    this.#answer(exchange)
      .catch((error: unknown) => exchange.problem(this.#told(error, exchange)))
      // A fault of our own costs this answer, not the process.
      .catch(() => void response.destroy())
  }

  /** All that callers may bring about is a CoveyError; the rest is a fault of ours, and goes to the log. */
  #told(error: unknown, { path }: Exchange): CoveyError {
    if (error instanceof CoveyError) return error
    return reportFailure(error, path.slice(0, 200), this.#desk.options.log)
  }

  /** Takes no new calls but those that are served to the end. */
  goAway(): void {
    if (this.#desk.goingAway) return
    this.#links.goAway()
    this.#desk.goAway()
    void this.#links.quiet().then(() => this.#desk.endLastCalls())
  }

  /** Does what `goAway` does; resolves when none runs and none is on its way, or when `signal` aborts. */
  async drain(signal?: AbortSignal): Promise<void> {
    this.goAway()
    await this.#desk.idle(signal)
  }

  /** Resolves when no client needs a new socket for calls that it sends before it has read of the end. */
  quiet(): Promise<void> {
    return this.#links.quiet()
  }

  /** Cancels what runs and ends the links. Whoever owns the sockets closes them. */
  close(): void {
    this.#links.close()
    this.#desk.close()
  }

  async #answer(exchange: Exchange): Promise<void> {
    if (this.#desk.options.dora && isDoraPath(exchange.path)) {
      return serveDora(this.#desk, exchange, () => admit(this.#desk, exchange))
    }
    if (answerPreflight(this.#desk, exchange)) return
    if (this.#answerAsked(exchange)) return
    await admit(this.#desk, exchange)
    if (exchange.over) return
    const { path } = exchange
    if (path === rpcPath) {
      requireMethod(exchange, 'GET')
      // It lasts as long as the client; nobody waits for its end.
      this.#desk.release(exchange)
      return this.#links.answer(exchange)
    }
    if (path === `${rpcPath}/batch`) {
      requireMethod(exchange, 'POST')
      return serveBatch(this.#desk, exchange)
    }
    const token = resultForm.exec(path)?.[1]
    if (token !== undefined && exchange.request.method !== 'POST') {
      requireMethod(exchange, 'GET')
      return serveResult(this.#desk, exchange, token.replaceAll('%7E', '~'))
    }
    const method = methodForm.exec(path)
    if (method === null || path.includes('..')) throw notFound(exchange)
    requireMethod(exchange, 'POST')
    await serveMethod(this.#desk, exchange, this.#desk.method(`${method[1]}.${method[2]}`))
  }

  /** Who knows the name of a link has shown who it is, and asks often. */
  #answerAsked(exchange: Exchange): boolean {
    const { path, query, request } = exchange
    const link = path === rpcPath && request.method === 'HEAD' ? query.get('link') : null
    if (link === null) return false
    admitHead(this.#desk, exchange)
    const calls = Number.parseInt(query.get('calls') ?? '', 10)
    this.#links.asked(exchange, link, Number.isNaN(calls) ? undefined : calls)
    return true
  }
}

/** A page asks whether it may call. */
function answerPreflight({ options }: CallDesk, exchange: Exchange): boolean {
  const { request } = exchange
  if (request.method !== 'OPTIONS' || request.headers.origin === undefined) return false
  if (refuse(request, options.allowOrigin ?? noPage) !== undefined) return false
  allowReading(exchange)
  exchange.send(204, undefined, preflightFor(request.headers))
  return true
}

/**
 * Everything that a request must pass, whatever it asks for. Finds out who asks.
 * @throws CoveyError why it is refused
 */
async function admit(desk: CallDesk, exchange: Exchange): Promise<void> {
  const { request } = exchange
  admitHead(desk, exchange)
  if (request.headers.origin !== undefined) allowReading(exchange)
  if (desk.refuses(exchange) && !answeredToTheEnd(exchange.path)) throw desk.stopping
  exchange.peer = await desk.peerOf(request)
}

function admitHead({ options }: CallDesk, { request }: Exchange): void {
  const refusal = refuse(request, options.allowOrigin ?? noPage)
  if (refusal !== undefined) throw refusal
}

const noPage = () => false

/** Lets the page that asked see the answer. */
function allowReading({ request, response }: Exchange): void {
  response.setHeader('access-control-allow-origin', request.headers.origin!)
  response.setHeader('access-control-expose-headers', 'location, retry-after')
  response.setHeader('vary', 'origin')
}

/** What pages of the origins that may call are allowed to send, for ten minutes without asking again. */
function preflightFor(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  // Of metadata there is no list, and no pattern for its names: those are allowed that the page asks for.
  const wanted = headers['access-control-request-headers']?.split(',') ?? []
  const metadata = wanted.map((name) => name.trim()).filter((name) => metadataForm.test(name))
  return {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': [...pageHeaders, ...metadata].join(', '),
    'access-control-max-age': '600',
    vary: 'origin, access-control-request-headers',
  }
}

const pageHeaders = [
  ...['content-type', 'authorization', 'prefer', 'traceparent', 'tracestate', 'baggage'],
  ...[headerName.timeout, headerName.mode, headerName.instance],
]

const metadataForm = new RegExp(`^${headerName.metadata}[\\w.-]+$`, 'i')

function notFound({ request, path }: Exchange): CoveyError {
  const message = `${request.method} ${path.slice(0, 200)} does not exist`
  return new CoveyError('UNIMPLEMENTED', `${message}; calls are POST ${rpcPath}/<service>/<method>`)
}

function requireMethod({ request }: Exchange, method: 'GET' | 'POST'): void {
  const asked = request.method
  if (asked === method || (asked === 'HEAD' && method === 'GET')) return
  const allow = method === 'GET' ? 'GET, HEAD' : method
  const error = new CoveyError('PROTOCOL_ERROR', `${asked} is not possible here; use ${method}`)
  throw new HttpError(error, 405, { allow })
}
