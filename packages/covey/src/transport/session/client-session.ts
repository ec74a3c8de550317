import { afterReading } from '../../base/after-reading.ts'
import { IdTable } from '../../base/id-table.ts'
import type { Call } from '../../call/call.ts'
import { noMetadata } from '../../call/metadata.ts'
import { givesStream, takesStream } from '../../call/method-ref.ts'
import { chooseCodec } from '../../codec/codecs.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { codeEntry } from '../../error/codes.ts'
import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import { hasStreams } from '../mode-refusal.ts'
import type { Connection, ConnectOptions } from '../transport.ts'
import { callFlags, writeCallHead } from './call-head.ts'
import { reasonData } from './cancel-reason.ts'
import { ClientHandshake } from './client-handshake.ts'
import { FrameLink } from './frame-link.ts'
import { protocolVersions, readFarewell, type Welcome } from './hello.ts'
import type { IncomingStream } from './incoming-stream.ts'
import { PendingCall } from './pending-call.ts'
import type { Pipe } from './pipe.ts'
import { callIsOver, sourceError } from './stream-errors.ts'
import { countedBytes, creditOf, ValueLink } from './value-link.ts'

/**
 * The client's end of a connection: hands out numbers to calls and brings each answer to its own call. It
 * never reports a call as not run unless that is certain.
 */
export class ClientSession implements Connection {
  readonly closed: Promise<CoveyError | undefined>
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #options: ConnectOptions
  readonly #pipe: Pipe
  readonly #link: FrameLink
  /** Until the welcome. */
  #handshake: ClientHandshake | undefined
  readonly #pending = new IdTable<PendingCall>()
  readonly #numbers = new Map<string, number>()
  readonly #welcome = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<CoveyError | undefined>()
  #lateAnswers = 0
  /** Since the welcome. */
  #values: ValueLink | undefined
  #instance = ''
  #lastId: number
  /** All numbers were used once, so an answer to any of them may come late. */
  #wrapped = false
  #version: number = protocolVersions.oldest
  /** Bytes of a stream that the server takes ahead of its handler. */
  #peerWindowBytes = 0
  #goingAway = false
  #closeReason: CoveyError | undefined

  /** @param lastId the first call gets the next number; for tests of what follows the highest one */
  constructor(pipe: Pipe, options: ConnectOptions, lastId = 0) {
    this.#options = options
    this.#lastId = lastId
    this.#pipe = pipe
    this.closed = this.#ended.promise
    // A failure before anybody waits for the handshake is reported by `handshake`.
    this.#welcome.promise.catch(() => {})
    this.#link = new FrameLink(pipe, {
      limits: options.limits,
      clock: options.clock,
      maxFirstFrameBytes: options.limits.maxFrameBytes,
      onFrame: (frame) => this.#frame(frame),
      onClosed: (reason) => this.#onClosed(reason),
    })
    this.#handshake = new ClientHandshake(this.#link, options)
  }

  get pending(): number {
    return this.#pending.size
  }

  get state(): 'open' | 'draining' | 'closed' {
    if (!this.#link.open) return 'closed'
    return this.#goingAway ? 'draining' : 'open'
  }

  /** Id of the instance at the other end. */
  get instance(): string {
    return this.#instance
  }

  /** Results that came for calls that had been given up, or twice; they were dropped. */
  get lateAnswers(): number {
    return this.#lateAnswers
  }

  /** Introduces this side and waits for the answer, within `handshakeMs`. */
  async handshake(): Promise<void> {
    const { limits, clock } = this.#options
    this.#handshake!.begin()
    const timer = afterReading(clock, limits.handshakeMs, () => {
      this.#link.fail(new CoveyError('UNAVAILABLE', `no handshake within ${limits.handshakeMs} ms`))
    })
    try {
      await this.#welcome.promise
      // An idle connection is no reason for a process to live on.
      this.#pipe.hold(this.#pending.size > 0)
    } finally {
      timer.stop()
    }
  }

  async close(): Promise<void> {
    this.#link.end()
    this.#failAll(new CoveyError('CANCELLED', 'the connection was closed by this side'))
    await this.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #invoke(call: Call): Promise<unknown> {
    const refusal = this.#refusal(call)
    if (refusal !== undefined) return Promise.reject(refusal)
    const id = this.#nextId()
    // Noted before: a frame that fills the write makes it leave at once, and then the call may run.
    const { batch } = this.#link
    try {
      this.#sendCall(id, call)
    } catch (error) {
      return Promise.reject(CoveyError.from(error))
    }
    const { kind } = call.method
    if (kind === 'unary') {
      return new Promise((resolve, reject) => this.#await(id, call, batch, resolve, reject))
    }
    // What the caller gets: a stream at once, or one result when the server has answered.
    if (givesStream(kind)) return Promise.resolve(this.#openStream(id, call, batch))
    return new Promise((resolve, reject) => {
      this.#sendInputs(id, this.#await(id, call, batch, resolve, reject))
    })
  }

  #refusal(call: Call): CoveyError | undefined {
    if (!this.#link.open) {
      const why = this.#closeReason?.message ?? 'closed'
      return new CoveyError('UNAVAILABLE', `no connection: ${why}`)
    }
    if (call.cancelled !== undefined) return call.cancelled
    if (this.#goingAway) return new CoveyError('DRAINING', `instance ${this.#instance} is stopping`)
    const { maxCallsPerConnection } = this.#options.limits
    if (this.#pending.size >= maxCallsPerConnection) {
      const message = `${maxCallsPerConnection} calls are in flight on this connection`
      return new CoveyError('RESOURCE_EXHAUSTED', message)
    }
    const { mode } = call
    const { kind, path } = call.method
    if (!this.#numbers.has(path)) {
      return new CoveyError('UNIMPLEMENTED', `instance ${this.#instance} has no method ${path}`)
    }
    if (mode !== 'wait' && kind !== 'unary') return hasStreams(call.method)
    if (mode !== 'wait') return this.#needsVersion(2, `${path}: ${mode}`)
    return takesStream(kind) ? this.#needsVersion(2, `${path}: a stream of inputs`) : undefined
  }

  /** Nothing that the peer cannot understand leaves: it would end the connection for all calls. */
  #needsVersion(needed: number, what: string): CoveyError | undefined {
    if (this.#version >= needed) return undefined
    const message = `${what} needs version ${needed} of the protocol; instance ${this.#instance} speaks ${this.#version}`
    return new CoveyError('UNIMPLEMENTED', message)
  }

  #sendCall(id: number, call: Call): void {
    const { mode } = call
    const type = mode === 'wait' ? frameType.call : frameType[mode]
    const head = {
      method: this.#numbers.get(call.method.path)!,
      timeoutMs: call.serverMs(),
      trace: call.trace,
      metadata: call.metadata,
      // It helps those who look at it; a server of version 1 works without.
      baggage: this.#version === 1 ? noMetadata : call.baggage,
    }
    const { codec } = this.#values!
    if (call.batch !== undefined) this.#link.cork()
    this.#link.send(type, callFlags(head), id, (out) => {
      writeCallHead(head, out)
      // A stream of inputs follows in frames of its own.
      if (call.input !== undefined && !takesStream(call.method.kind)) codec.encode(call.input, out)
    })
  }

  #await(
    id: number,
    call: Call,
    batch: number,
    result: (value: unknown) => void,
    fail: (error: CoveyError) => void,
  ): PendingCall {
    if (this.#pending.size === 0) this.#pipe.hold(true)
    const onCancel = (reason: CoveyError) => this.#abandon(id, reason)
    const pending = new PendingCall(call, batch, onCancel, result, fail)
    this.#pending.set(id, pending)
    call.onCancel(onCancel)
    return pending
  }

  #openStream(id: number, call: Call, batch: number): IncomingStream {
    const stream = this.#values!.incoming(id, () => {
      this.#abandon(id, new CoveyError('CANCELLED', 'the reader left the stream'))
    })
    const finish = (error?: CoveyError) => stream.finish(error)
    const pending = this.#await(id, call, batch, () => finish(), finish)
    pending.output = stream
    if (takesStream(call.method.kind)) this.#sendInputs(id, pending)
    return stream
  }

  /** Begins to send the elements of the caller's source; `#take` ends it however the call ends. */
  #sendInputs(id: number, pending: PendingCall): void {
    // Given up while it was being made.
    if (this.#pending.get(id) !== pending) return
    pending.input = this.#values!.outgoing(id, pending.call.input, this.#peerWindowBytes)
    pending.input.run().then(
      () => void (this.#link.open && this.#link.send(frameType.end, 0, id)),
      (error) => this.#abandon(id, sourceError(error)),
    )
  }

  /** The caller wants no answer any more: tell the server why. */
  #abandon(id: number, reason: CoveyError): void {
    const pending = this.#take(id)
    if (pending === undefined) return
    if (this.#link.open) this.#sendCancel(id, reason)
    pending.fail(reason)
  }

  #sendCancel(id: number, reason: CoveyError): void {
    this.#values!.send(frameType.cancel, id, this.#version === 1 ? undefined : reasonData(reason))
  }

  #take(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#pipe.hold(false)
    pending.call.offCancel(pending.onCancel)
    pending.input?.abort(callIsOver())
    return pending
  }

  #nextId(): number {
    do {
      this.#wrapped ||= this.#lastId === 0xffffffff
      this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1
    } while (this.#pending.has(this.#lastId))
    return this.#lastId
  }

  #frame(frame: Frame): void {
    if (this.#values === undefined) return this.#greeting(frame)
    switch (frame.type) {
      case frameType.result:
      case frameType.accepted:
        return this.#onResult(frame)
      case frameType.item:
        return this.#onItem(frame)
      case frameType.error:
        return this.#onError(frame)
      case frameType.end:
        return this.#onEnd(frame)
      case frameType.credit:
        return this.#onCredit(frame)
      case frameType.shape:
        return this.#values.learnShape(frame)
      case frameType.goAway:
        if (!this.#goingAway) {
          this.#goingAway = true
          this.#options.onDraining?.()
        }
        return
      default:
        if (frame.type < 128) throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type}`)
    }
  }

  /** An answer may come late, to a call that was given up; but never to one that was not made. */
  #known(frame: Frame): number {
    if (frame.id === 0 || (frame.id > this.#lastId && !this.#wrapped)) {
      throw new CoveyError('PROTOCOL_ERROR', `an answer to call ${frame.id}, which was never made`)
    }
    return frame.id
  }

  /** The result of a call; or of one whose caller does not wait, that it was accepted. */
  #onResult(frame: Frame): void {
    const id = this.#known(frame)
    const waiting = this.#pending.get(id)
    if (waiting !== undefined) requireKind(frame, waiting, false)
    const pending = this.#take(id)
    if (pending === undefined) {
      this.#lateAnswers += 1
      return
    }
    try {
      pending.result(this.#values!.read(frame))
    } catch (error) {
      pending.fail(CoveyError.from(error))
    }
  }

  #onItem(frame: Frame): void {
    const id = this.#known(frame)
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    requireKind(frame, pending, true)
    const stream = pending.output!
    let item: unknown
    try {
      item = this.#values!.read(frame)
    } catch (error) {
      return this.#abandon(id, CoveyError.from(error))
    }
    stream.push(item, countedBytes(frame))
  }

  #onEnd(frame: Frame): void {
    const pending = this.#pending.get(this.#known(frame))
    if (pending === undefined) return
    requireKind(frame, pending, true)
    this.#take(frame.id)
    pending.result(undefined)
  }

  #onCredit(frame: Frame): void {
    this.#pending.get(this.#known(frame))?.input?.grant(creditOf(frame))
  }

  #onError(frame: Frame): void {
    if (frame.id === 0) return this.#link.fail(readFarewell(frame))
    const pending = this.#take(this.#known(frame))
    if (pending === undefined) return
    try {
      pending.fail(CoveyError.fromData(this.#values!.read(frame) as ErrorData))
    } catch (error) {
      pending.fail(CoveyError.from(error))
    }
  }

  #greeting(frame: Frame): void {
    if (frame.type === frameType.error) return this.#link.fail(readFarewell(frame))
    const welcome = this.#handshake!.take(frame)
    if (welcome !== undefined) this.#accept(welcome)
  }

  #accept(welcome: Welcome): void {
    const expected = this.#options.instance
    if (expected !== undefined && welcome.instance !== expected) {
      const message = `expected instance ${expected}, found ${welcome.instance}`
      return this.#link.fail(new CoveyError('UNAVAILABLE', message))
    }
    const codec = chooseCodec([welcome.codec], welcome.covey)
    if (codec === undefined) {
      throw new CoveyError('PROTOCOL_ERROR', `the server chose an unknown codec "${welcome.codec}"`)
    }
    this.#values = new ValueLink(this.#link, codec, this.#options.limits)
    this.#handshake = undefined
    this.#instance = welcome.instance
    this.#version = welcome.covey
    this.#peerWindowBytes = welcome.streamWindowBytes ?? 0
    for (const [number, path] of welcome.methods.entries()) this.#numbers.set(path, number)
    this.#link.established(welcome.maxFrameBytes)
    this.#welcome.resolve()
  }

  #onClosed(reason: CoveyError | undefined): void {
    this.#closeReason = reason
    this.#welcome.reject(asUnavailable(reason))
    this.#failAll(reason ?? new CoveyError('CANCELLED', 'the connection was closed by this side'))
    this.#ended.resolve(reason)
  }

  #failAll(reason: CoveyError): void {
    for (const id of this.#pending.keys()) {
      const pending = this.#take(id)!
      const left = pending.batch < this.#link.batch
      pending.fail(left ? mayHaveRun(reason) : notSent(reason))
    }
  }
}

/** Elements and their end are for calls with a stream of results, `accepted` for those that nobody waits for. */
function requireKind({ type, id }: Frame, { call, output }: PendingCall, streams: boolean): void {
  const accepted = type === frameType.accepted
  if ((output !== undefined) === streams && accepted === (call.mode !== 'wait')) return
  const what = `frame type ${type} for call ${id} of ${call.method.path}`
  throw new CoveyError('PROTOCOL_ERROR', `${what}, ${call.method.kind}, mode ${call.mode}`)
}

/** "Not run" is what the peer says of the connection that it refuses; of a call that has left nobody knows. */
function mayHaveRun(reason: CoveyError): CoveyError {
  if (codeEntry(reason.code).retry !== 'always') return reason
  return new CoveyError('CONNECTION_LOST', reason.message, { cause: reason })
}

/** The frame of the call never left this process, so it cannot have run. */
function notSent(reason: CoveyError): CoveyError {
  return new CoveyError('UNAVAILABLE', `not sent: ${reason.message}`, { cause: reason })
}

/** Before the handshake nothing can be lost: the peer is just not there. */
function asUnavailable(reason: CoveyError | undefined): CoveyError {
  if (reason === undefined) return new CoveyError('CANCELLED', 'closed before the handshake')
  if (reason.code !== 'CONNECTION_LOST') return reason
  return new CoveyError('UNAVAILABLE', reason.message, { cause: reason })
}
