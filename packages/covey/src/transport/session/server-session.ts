import type { Timer } from '../../base/clock.ts'
import { IdTable } from '../../base/id-table.ts'
import { Call, type CallMode } from '../../call/call.ts'
import { givesStream, type MethodRef, takesStream } from '../../call/method-ref.ts'
import type { Peer } from '../../call/peer.ts'
import type { Codec } from '../../codec/codec.ts'
import { chooseCodec } from '../../codec/codecs.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { acceptsNothing } from '../mode-refusal.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import { readCallHead } from './call-head.ts'
import { CancelBudget } from './cancel-budget.ts'
import { readReason } from './cancel-reason.ts'
import { FrameLink } from './frame-link.ts'
import type { IncomingStream } from './incoming-stream.ts'
import { leaveStream } from './outgoing-stream.ts'
import type { Pipe } from './pipe.ts'
import { RunningCall } from './running-call.ts'
import { type Introduction, ServerHandshake } from './server-handshake.ts'
import { callIsOver } from './stream-errors.ts'
import { countedBytes, creditOf, ValueLink } from './value-link.ts'

/** A stranger sends no more than this before it has introduced itself. */
const maxHelloBytes = 64 * 1024

/** What a session reports to its listener. */
export interface ServerSessionEvents {
  /** Nothing runs any more. */
  onIdle(): void
  /** The handshake is done. */
  onReady?(): void
  onClosed(reason: CoveyError | undefined): void
}

/**
 * The server's end of a connection: makes a `Call` of each call frame, has it served, and sends what comes
 * of it. When the peer goes, its calls are cancelled.
 */
export class ServerSession {
  readonly #pipe: Pipe
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #events: ServerSessionEvents
  readonly #link: FrameLink
  /** Until the welcome. */
  #handshake: ServerHandshake | undefined
  readonly #running = new IdTable<RunningCall>()
  /** Those of them that begin when this turn is over. */
  readonly #late = new Map<number, RunningCall>()
  /** How many of them take a stream of inputs. */
  #inputs = 0
  readonly #connectionId: string
  /** Until the welcome. */
  #handshakeTimer: Timer | undefined
  #state: 'new' | 'greeting' | 'ready' | 'draining' = 'new'
  #version = 0
  /** Since the welcome. */
  #values: ValueLink | undefined
  #peer: Peer | undefined
  #streamWindowBytes = 0
  #callsOpened = 0
  #goodbye: Timer | undefined
  #cancels: CancelBudget | undefined

  constructor(
    pipe: Pipe,
    dispatcher: Dispatcher,
    options: ListenOptions,
    connectionId: string,
    events: ServerSessionEvents,
  ) {
    this.#pipe = pipe
    this.#dispatcher = dispatcher
    this.#options = options
    this.#connectionId = connectionId
    this.#events = events
    this.#link = new FrameLink(pipe, {
      limits: options.limits,
      clock: options.clock,
      maxFirstFrameBytes: maxHelloBytes,
      onFrame: (frame) => this.#frame(frame),
      onClosed: (reason) => this.#onClosed(reason),
    })
    this.#handshake = new ServerHandshake(this.#link, options)
    const { handshakeMs } = options.limits
    this.#handshakeTimer = options.clock.after(handshakeMs, () => {
      this.refuse(new CoveyError('PROTOCOL_ERROR', `no handshake within ${handshakeMs} ms`))
    })
  }

  /** Calls that run now. */
  get running(): number {
    return this.#running.size
  }

  /** Whether there is something to wait for before it is closed: a call that runs, or one that may be on its way. */
  get busy(): boolean {
    return this.#running.size > 0 || this.#goodbye !== undefined
  }

  /** Who is there, once the handshake is done. */
  get peer(): Peer | undefined {
    return this.#peer
  }

  /** Whether the handshake waits for the client, and not for a decision of this side. */
  get waitsForClient(): boolean {
    return this.#state === 'new' && this.#link.open
  }

  /** Takes no new calls; those that run go on. */
  drain(): void {
    if (this.#state === 'draining') return
    this.#state = 'draining'
    if (this.#link.open && this.#values !== undefined) this.#sayGoodbye()
    // Streams of results have no end to wait for: their readers open them again elsewhere. Not `DRAINING`, for they have run.
    const reason = new CoveyError(
      'CONNECTION_LOST',
      'the instance is stopping; open the stream again',
    )
    for (const { call } of this.#running.values()) {
      if (givesStream(call.method.kind)) call.cancel(reason)
    }
  }

  /**
   * Calls that left before the client read of the end are still to be answered: that they were not run. So the end is when
   * the client has answered, or is silent.
   */
  #sayGoodbye(): void {
    const { clock, limits } = this.#options
    const done = () => {
      this.#goodbye?.stop()
      this.#goodbye = undefined
      this.#events.onIdle()
    }
    this.#goodbye = clock.after(limits.silenceMs, done)
    this.#link.send(frameType.goAway, 0, 0)
    this.#link.whenAnswered(done)
  }

  /** Sends what is waiting and closes. */
  close(): void {
    this.#link.end()
    this.#cancelAll(new CoveyError('CANCELLED', 'the server stopped'))
  }

  /** Tells the peer why, and closes. */
  refuse(reason: CoveyError): void {
    if (!this.#link.open) return
    this.#link.send(frameType.error, 0, 0, (out) => out.text(JSON.stringify(reason.toData())))
    this.close()
  }

  #frame(frame: Frame): void {
    switch (frame.type) {
      case frameType.call:
      case frameType.notify:
      case frameType.submit:
        return this.#onCall(frame)
      case frameType.item:
        return this.#onItem(frame)
      case frameType.end:
        return this.#onEnd(frame)
      case frameType.cancel:
        return this.#onCancel(frame)
      case frameType.credit:
        return this.#onCredit(frame)
      case frameType.shape:
        return this.#onShape(frame)
      case frameType.hello:
      case frameType.proof:
        return this.#onIntroduction(frame)
      case frameType.error:
        return this.#link.fail(new CoveyError('PROTOCOL_ERROR', 'the client refused our frames'))
      default:
        if (frame.type < 128) throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type}`)
    }
  }

  #onShape(frame: Frame): void {
    if (this.#values === undefined) {
      throw new CoveyError('PROTOCOL_ERROR', 'a shape before the handshake')
    }
    this.#values.learnShape(frame)
  }

  #onIntroduction(frame: Frame): void {
    if (this.#state === 'draining') return this.refuse(this.#stopping())
    if (this.#state !== 'new') throw new CoveyError('PROTOCOL_ERROR', 'a second hello')
    const introduction = this.#handshake!.take(frame)
    if (introduction === undefined) return
    const { hello, version } = introduction
    this.#state = 'greeting'
    this.#version = version
    this.#streamWindowBytes = hello.streamWindowBytes
    const codec = chooseCodec(hello.codecs, version)
    if (codec === undefined) {
      throw new CoveyError('PROTOCOL_ERROR', `no common codec among: ${hello.codecs.join(', ')}`)
    }
    const { instance } = this.#dispatcher
    if (hello.instance !== undefined && hello.instance !== instance) {
      return this.refuse(
        new CoveyError(
          'UNAVAILABLE',
          `instance ${hello.instance} is not here; this is ${instance}`,
        ),
      )
    }
    const { protocol, address, identity = introduction.identity } = this.#pipe
    const peer = { protocol, address, connectionId: this.#connectionId, identity }
    const asked = this.#options.authenticate?.(hello.credential, peer) ?? Promise.resolve(undefined)
    asked
      .then((found = identity) => this.#greet(codec, { ...peer, identity: found }, introduction))
      .catch((error) => this.refuse(CoveyError.from(error)))
  }

  #greet(codec: Codec, peer: Peer, introduction: Introduction): void {
    if (!this.#link.open) return
    const { maxFrameBytes, streamWindowBytes } = this.#options.limits
    const welcome = {
      covey: this.#version,
      codec: codec.name,
      instance: this.#dispatcher.instance,
      maxFrameBytes,
      streamWindowBytes: this.#version === 1 ? undefined : streamWindowBytes,
      methods: this.#dispatcher.methods.map(({ path }) => path),
    }
    this.#link.established(introduction.hello.maxFrameBytes)
    this.#handshake!.greet(welcome, introduction)
    this.#handshake = undefined
    this.#handshakeTimer?.stop()
    this.#handshakeTimer = undefined
    this.#values = new ValueLink(this.#link, codec, this.#options.limits)
    this.#peer = peer
    this.#events.onReady?.()
    if (this.#state === 'draining') this.#link.send(frameType.goAway, 0, 0)
    else this.#state = 'ready'
  }

  #onCall(frame: Frame): void {
    if (this.#values === undefined)
      throw new CoveyError('PROTOCOL_ERROR', 'a call before the handshake')
    if (frame.type !== frameType.call && this.#version === 1) {
      throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type} in version 1`)
    }
    if (frame.id === 0 || this.#running.has(frame.id)) {
      throw new CoveyError('PROTOCOL_ERROR', `call number ${frame.id} is 0 or in use`)
    }
    let running: RunningCall
    try {
      running = this.#readCall(frame, this.#values.codec)
    } catch (error) {
      return this.#sendError(frame.id, asInputError(CoveyError.from(error)))
    }
    this.#serve(frame.id, running)
  }

  #readCall(frame: Frame, codec: Codec): RunningCall {
    const { limits, clock } = this.#options
    if (this.#state === 'draining') throw this.#stopping()
    if (this.#running.size >= limits.maxCallsPerConnection) {
      const message = `${limits.maxCallsPerConnection} calls are in flight on this connection`
      throw new CoveyError('RESOURCE_EXHAUSTED', message)
    }
    const { head, bodyStart } = readCallHead(frame, limits)
    const method = this.#dispatcher.methods[head.method]
    if (method === undefined)
      throw new CoveyError('UNIMPLEMENTED', `no method number ${head.method}`)
    const openedMs = clock.monotonicMs()
    const stream = takesStream(method.kind) ? this.#openInput(frame.id, method) : undefined
    const empty = bodyStart === frame.end
    const value = empty ? undefined : codec.decode(frame.bytes, bodyStart, frame.end)
    const call = new Call(method, stream ?? value, {
      deadlineMs: openedMs + head.timeoutMs,
      trace: head.trace,
      metadata: head.metadata,
      baggage: head.baggage,
      peer: this.#peer,
      mode: modeOf(frame),
      clock,
    })
    return new RunningCall(call, openedMs, stream)
  }

  #openInput(id: number, { path }: MethodRef): IncomingStream {
    const { maxStreamsPerConnection } = this.#options.limits
    if (this.#version === 1) {
      const message = `${path}: a stream of inputs needs version 2 of the protocol`
      throw new CoveyError('UNIMPLEMENTED', message)
    }
    if (this.#inputs >= maxStreamsPerConnection) {
      const message = `${maxStreamsPerConnection} streams of inputs are open on this connection`
      throw new CoveyError('RESOURCE_EXHAUSTED', message)
    }
    // Without further credit the caller's source is held until the call ends, and left then.
    return this.#values!.incoming(id, () => {})
  }

  #stopping(): CoveyError {
    return new CoveyError('DRAINING', `instance ${this.#dispatcher.instance} is stopping`)
  }

  #serve(id: number, running: RunningCall): void {
    this.#callsOpened += 1
    this.#running.set(id, running)
    if (running.input !== undefined) this.#inputs += 1
    const { call } = running
    call.onCancel((reason) => this.#onCallCancelled(id, running, reason))
    if (this.#link.catchingUp) this.#beginSoon(id, running)
    else this.#begin(id, running)
  }

  /**
   * Behind a stall of this process calls are read that their callers have given up long since: the cancels lie behind them.
   * Those are not begun at all.
   */
  #beginSoon(id: number, running: RunningCall): void {
    this.#late.set(id, running)
    if (this.#late.size > 1) return
    this.#pipe.soon(() => {
      const late = [...this.#late]
      this.#late.clear()
      for (const [id, running] of late)
        if (this.#running.get(id) === running) this.#begin(id, running)
    })
  }

  #begin(id: number, running: RunningCall): void {
    const { call } = running
    const served = call.mode === 'wait' ? this.#dispatcher.serve(call) : this.#accept(call)
    served.then(
      (result) => this.#onServed(id, running, result),
      // Answer of a call that failed before or, with one result, while its handler ran.
      (error) => this.#finish(id, running, () => this.#sendError(id, CoveyError.from(error))),
    )
  }

  /** From the moment it is accepted on, neither the end of this connection nor a cancel reaches the call. */
  #accept(call: Call): Promise<string | undefined> {
    return this.#dispatcher.accept?.(call) ?? Promise.reject(acceptsNothing(this.#dispatcher))
  }

  #onServed(id: number, running: RunningCall, result: unknown): void {
    if (givesStream(running.call.method.kind)) return this.#openStream(id, running, result)
    // Answer of a call with one result.
    this.#finish(id, running, () => this.#sendResult(id, running.call, result))
  }

  #openStream(id: number, running: RunningCall, result: unknown): void {
    if (this.#running.get(id) !== running) return leaveStream(result)
    const stream = this.#values!.outgoing(id, result, this.#streamWindowBytes)
    running.output = stream
    // Answer of a call with a stream of results: what ends it.
    stream.run().then(
      () => this.#finish(id, running, () => this.#link.send(frameType.end, 0, id)),
      (error) => this.#finish(id, running, () => this.#sendError(id, CoveyError.from(error))),
    )
  }

  /** Sends the last frame of a call, unless the call was given up before. */
  #finish(id: number, running: RunningCall, send: () => void): void {
    if (this.#running.get(id) !== running) return
    this.#running.delete(id)
    if (running.input !== undefined) {
      this.#inputs -= 1
      running.input.abort(running.call.cancelled ?? callIsOver())
    }
    if (this.#link.open) send()
    if (this.#running.size === 0) this.#events.onIdle()
  }

  #sendResult(id: number, { mode }: Call, result: unknown): void {
    const type = mode === 'wait' ? frameType.result : frameType.accepted
    try {
      this.#values!.send(type, id, result)
      this.#link.holdIfFull()
    } catch (error) {
      this.#sendError(id, CoveyError.from(error))
    }
  }

  #sendError(id: number, error: CoveyError): void {
    if (this.#link.open) this.#values!.sendError(id, error)
  }

  #onItem(frame: Frame): void {
    const running = this.#takerOf(frame)
    if (running === undefined) return
    let item: unknown
    try {
      item = this.#values!.read(frame)
    } catch (error) {
      return running.call.cancel(asInputError(CoveyError.from(error)))
    }
    running.input?.push(item, countedBytes(frame))
  }

  #onEnd(frame: Frame): void {
    this.#takerOf(frame)?.input?.finish()
  }

  /** The call that an element or its end is for; undefined when it ended while the frame was under way. */
  #takerOf({ id }: Frame): RunningCall | undefined {
    const running = this.#running.get(id)
    if (running === undefined && id !== 0 && this.#version > 1) return undefined
    if (running?.input !== undefined) return running
    throw new CoveyError('PROTOCOL_ERROR', `an element for call ${id}, which takes none`)
  }

  #onCancel(frame: Frame): void {
    const running = this.#running.get(frame.id)
    if (running === undefined) return
    const remainingMs = running.call.remainingMs()
    const begun = this.#late.get(frame.id) !== running
    running.call.cancel(readReason(frame, this.#values!.codec))
    // Given up while this process stood still: nobody's fault but ours.
    if (!begun) return
    const { clock, limits } = this.#options
    this.#cancels ??= new CancelBudget(clock, limits.maxEarlyCancels)
    if (!this.#cancels.exceeded(running.openedMs, remainingMs, this.#callsOpened)) return
    this.#link.send(frameType.goAway, 0, 0)
    const message = `more than ${limits.maxEarlyCancels} calls were opened and given up at once within 10 seconds`
    throw new CoveyError('RESOURCE_EXHAUSTED', message)
  }

  /** The handler may go on for a while, but its caller has its answer now. */
  #onCallCancelled(id: number, running: RunningCall, reason: CoveyError): void {
    running.output?.abort(reason)
    this.#finish(id, running, () => this.#sendError(id, reason))
  }

  #onCredit(frame: Frame): void {
    const bytes = creditOf(frame)
    this.#running.get(frame.id)?.output?.grant(bytes)
  }

  #onClosed(reason: CoveyError | undefined): void {
    this.#handshakeTimer?.stop()
    this.#handshakeTimer = undefined
    this.#goodbye?.stop()
    this.#cancelAll(new CoveyError('CANCELLED', 'the connection of the caller is gone'))
    this.#events.onClosed(reason)
  }

  #cancelAll(reason: CoveyError): void {
    for (const { call } of this.#running.values()) call.cancel(reason)
  }
}

function modeOf({ type }: Frame): CallMode {
  if (type === frameType.notify) return 'notify'
  return type === frameType.submit ? 'submit' : 'wait'
}

/** A body that cannot be read is the caller's mistake; the connection as such is fine. */
function asInputError(error: CoveyError): CoveyError {
  if (error.code !== 'PROTOCOL_ERROR') return error
  return new CoveyError('INVALID_INPUT', error.message, { cause: error })
}
