import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { closestName } from '../../base/closest-name.ts'
import { Call, type CallMode } from '../../call/call.ts'
import { givesStream, type MethodRef } from '../../call/method-ref.ts'
import type { Peer } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { allowedMs } from '../allowed-ms.ts'
import { callerGone, instanceStopping, serverStopped, streamMoved } from '../endings.ts'
import { identifyInTime } from '../identify.ts'
import type { Limits } from '../limits.ts'
import { demandsKey } from '../link-options.ts'
import { servedToTheEnd } from '../served-to-the-end.ts'
import type { TlsCredentials } from '../tls/tls-credentials.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import { answeredToTheEnd } from './answered-to-the-end.ts'
import { type CallHeaders, readCallHeaders } from './call-headers.ts'
import { Exchange } from './exchange.ts'
import { HttpPeer } from './http-peer.ts'
import type { AllowOrigin } from './request-guard.ts'
import { headerName } from './wire.ts'

/** Settings of a door for calls over HTTP. */
export interface RpcDoorOptions extends ListenOptions {
  /** Whether pages of an origin may call. Default: no page may. */
  readonly allowOrigin?: AllowOrigin | undefined
  /** Added to every answer. */
  readonly headers?: OutgoingHttpHeaders | undefined
  /** What the server proves itself with over TLS, and holds the certificates of clients against. Default: there is no TLS. */
  readonly credentials?: TlsCredentials | undefined
  /** Whether clients of Dora-RPC may call as well. Default false. */
  readonly dora?: boolean | undefined
}

const noKeys =
  'this process demands keys, which cannot be proved over HTTP: give the port `authenticate`, or use another transport'

const noCertificate =
  'show a certificate that an authority of this process has signed (covey.tls.ca): nothing else tells who asks here'

/** Where requests become calls: knows the methods, who asks, and what runs. */
export class CallDesk {
  readonly dispatcher: Dispatcher
  readonly limits: Limits
  readonly options: RpcDoorOptions
  readonly #methods: ReadonlyMap<string, MethodRef>
  readonly #peers = new WeakMap<Socket, HttpPeer>()
  readonly #open = new Map<Exchange, Set<Call>>()
  #goingAway = false
  /** Whether calls may be on their way whose clients have not read that there are to be none. */
  #lastCalls = false
  #onIdle: (() => void)[] = []

  constructor(dispatcher: Dispatcher, options: RpcDoorOptions) {
    this.dispatcher = dispatcher
    this.limits = options.limits
    this.options = options
    this.#methods = new Map(dispatcher.methods.map((method) => [method.path, method]))
  }

  /** Requests that are being answered. */
  get running(): number {
    return this.#open.size
  }

  /** Whether its clients were told to send no new calls. */
  get goingAway(): boolean {
    return this.#goingAway
  }

  /**
   * Whether it takes no calls of this request but those that are served to the end. Clients with a link are told on another socket
   * than they call on, so what they send until they have read it is served: a stream of inputs could not be sent again elsewhere.
   */
  refuses({ request }: Exchange): boolean {
    if (!this.#goingAway) return false
    return !this.#lastCalls || request.headers[headerName.instance] === undefined
  }

  /** Why new calls are refused then. */
  get stopping(): CoveyError {
    return instanceStopping(this.dispatcher.instance)
  }

  /** A request with what answers it. It counts as running until the answer has left. */
  open(request: IncomingMessage, response: ServerResponse): Exchange {
    const exchange = new Exchange(request, response, {
      clock: this.options.clock,
      slowReaderMs: this.limits.slowReaderMs,
      headers: this.options.headers ?? {},
      closing: () => this.#goingAway,
    })
    const calls = new Set<Call>()
    this.#open.set(exchange, calls)
    response.once('close', () => {
      const gone = callerGone()
      for (const call of calls) call.cancel(gone)
      this.release(exchange)
    })
    return exchange
  }

  /** Nobody has to wait for the end of this request any more. */
  release(exchange: Exchange): void {
    this.#open.delete(exchange)
    if (!this.#busy) this.#idle()
  }

  /**
   * Who asks: the one that the token of the request names, else whom the certificate of the connection names.
   * @throws CoveyError `UNAUTHENTICATED`, `UNAVAILABLE` when that is not known within `handshakeMs`
   */
  async peerOf({ socket, headers }: IncomingMessage): Promise<Peer> {
    const { authenticate, credentials } = this.options
    let known = this.#peers.get(socket)
    if (known === undefined) {
      known = new HttpPeer(socket, this.dispatcher.instance, credentials)
      this.#peers.set(socket, known)
    }
    const { peer, refused } = known
    if (refused !== undefined) throw refused
    if (authenticate !== undefined) {
      const identity = await identifyInTime(this.options, bearer(headers.authorization), peer)
      return identity === undefined ? peer : { ...peer, identity }
    }
    if (peer.identity === undefined) {
      if (credentials !== undefined) throw new CoveyError('UNAUTHENTICATED', noCertificate)
      // Never less than what the other ports of this process demand.
      if (demandsKey(this.options)) throw new CoveyError('UNAUTHENTICATED', noKeys)
    }
    return peer
  }

  /**
   * The method of a path `service.method`.
   * @throws CoveyError `UNIMPLEMENTED`, with the closest name
   */
  method(path: string): MethodRef {
    const method = this.#methods.get(path)
    if (method !== undefined) return method
    // Comparing takes time in proportion to the length, and the length is up to a stranger.
    const close = path.length > 100 ? undefined : closestName(path, this.#methods.keys())
    const hint = close === undefined ? '' : `; did you mean ${close}?`
    throw new CoveyError('UNIMPLEMENTED', `no method ${path}${hint}`)
  }

  /** What travels with the calls of a request. @throws CoveyError `PROTOCOL_ERROR`, `UNAVAILABLE` */
  headers({ request }: Exchange): CallHeaders {
    const wanted = request.headers[headerName.instance]
    const { instance } = this.dispatcher
    if (wanted !== undefined && wanted !== instance) {
      throw new CoveyError('UNAVAILABLE', `instance ${wanted} is not here; this is ${instance}`)
    }
    return readCallHeaders(request.headers, this.limits)
  }

  /**
   * Makes a call that is cancelled when its caller goes.
   * @throws CoveyError `DRAINING`
   */
  begin(
    exchange: Exchange,
    method: MethodRef,
    input: unknown,
    headers: CallHeaders,
    mode: CallMode = 'wait',
  ): Call {
    const call = this.#make(exchange, method, input, headers, mode)
    const calls = this.#open.get(exchange)
    if (calls === undefined) call.cancel(new CoveyError('CANCELLED', 'the caller is gone'))
    else calls.add(call)
    return call
  }

  /**
   * Makes a call whose caller is answered before it runs.
   * @throws CoveyError `DRAINING`
   */
  detached(exchange: Exchange, method: MethodRef, input: unknown, headers: CallHeaders): Call {
    return this.#make(exchange, method, input, headers, 'notify')
  }

  /** Takes no new calls but those that are served to the end, and until `endLastCalls` those of clients with a link. */
  goAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    this.#lastCalls = true
    for (const calls of [...this.#open.values()]) {
      // Streams of results have no end to wait for: their readers open them again elsewhere.
      for (const call of calls) if (givesStream(call.method.kind)) call.cancel(streamMoved())
    }
    this.#refuseUnbegun()
  }

  /** No client has calls on their way any more. */
  endLastCalls(): void {
    this.#lastCalls = false
    this.#refuseUnbegun()
    if (!this.#busy) this.#idle()
  }

  /** Answers requests whose bodies are still coming in. */
  #refuseUnbegun(): void {
    for (const [exchange, calls] of [...this.#open]) {
      if (calls.size > 0 || !this.refuses(exchange)) continue
      if (!answeredToTheEnd(exchange.path)) exchange.problem(this.stopping)
    }
  }

  get #busy(): boolean {
    return this.#open.size > 0 || this.#lastCalls
  }

  /** Resolves when nothing runs and nothing is on its way, or when `signal` aborts. */
  async idle(signal?: AbortSignal): Promise<void> {
    const onAbort = () => this.#idle()
    signal?.addEventListener('abort', onAbort, { once: true })
    while (this.#busy && !signal?.aborted) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve))
    }
    signal?.removeEventListener('abort', onAbort)
  }

  /** Cancels what runs. */
  close(): void {
    this.#goingAway = true
    const reason = serverStopped()
    for (const calls of [...this.#open.values()]) for (const call of calls) call.cancel(reason)
  }

  #make(
    exchange: Exchange,
    method: MethodRef,
    input: unknown,
    headers: CallHeaders,
    mode: CallMode,
  ): Call {
    const refused = this.refuses(exchange) || (this.#goingAway && givesStream(method.kind))
    if (refused && !servedToTheEnd(method)) throw this.stopping
    const { clock, limits } = this.options
    const { trace, metadata, baggage } = headers
    const timeoutMs = headers.timeoutMs ?? method.timeoutMs ?? Number.POSITIVE_INFINITY
    const openedMs = clock.monotonicMs()
    return new Call(method, input, {
      openedMs,
      deadlineMs: openedMs + allowedMs(timeoutMs, method, mode, limits),
      trace,
      metadata,
      baggage,
      mode,
      peer: exchange.peer,
      clock,
    })
  }

  #idle(): void {
    const waiting = this.#onIdle
    this.#onIdle = []
    for (const resume of waiting) resume()
  }
}

/** Source: RFC 6750, Bearer Token Usage. */
function bearer(header: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1]
}
