import { IdTable } from '../../base/id-table.ts'
import type { Call } from '../../call/call.ts'
import { givesStream, type MethodRef } from '../../call/method-ref.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { instanceStopping, streamMoved } from '../endings.ts'
import { acceptsNothing } from '../mode-refusal.ts'
import { servedToTheEnd } from '../served-to-the-end.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import { CallReader } from './call-reader.ts'
import { CancelBudget } from './cancel-budget.ts'
import { readReason } from './cancel-reason.ts'
import type { FrameLink } from './frame-link.ts'
import { GivenUpCalls } from './given-up-calls.ts'
import { HeldAnswers } from './held-answers.ts'
import { leaveStream, type OutgoingStream } from './outgoing-stream.ts'
import type { Pipe } from './pipe.ts'
import type { RunningCall } from './running-call.ts'
import type { Agreed } from './server-greeting.ts'
import { callIsOver } from './stream-errors.ts'
import { countedBytes, creditOf, ValueLink } from './value-link.ts'

/** What the calls of a connection need beside its link. */
export interface RunningCallsOptions {
  readonly dispatcher: Dispatcher
  readonly listen: ListenOptions
  readonly agreed: Agreed
  readonly pipe: OwnPipe
  readonly events: RunningCallsEvents
}

type OwnPipe = Pick<Pipe, 'soon' | 'protocol' | 'address'>

/** What the calls of a connection tell. */
export interface RunningCallsEvents {
  /** Nothing runs any more. */
  onIdle(): void
  /** Told once, of a client that gives up so much of what it opens that its calls are begun later. */
  onPutOff?(origin: Pick<Pipe, 'protocol' | 'address'>): void
}

/** The calls of a connection at the server's end: has each one served and sends what comes of it. */
export class RunningCalls {
  readonly #link: FrameLink
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #pipe: OwnPipe
  readonly #events: RunningCallsEvents
  readonly #version: number
  /** Bytes of a stream that the client takes ahead of its reader. */
  readonly #peerWindowBytes: number
  readonly #values: ValueLink
  readonly #reader: CallReader
  readonly #running = new IdTable<RunningCall>()
  /** Those of them that begin when this turn is over, if there are any. */
  #late: Map<number, RunningCall> | undefined
  /** How many of them take a stream of inputs. */
  #inputs = 0
  #held: HeldAnswers<RunningCall> | undefined
  #opened = 0
  #cancels: CancelBudget | undefined
  #givenUp: GivenUpCalls | undefined
  /** Whether calls of this connection were ever put off. */
  #putOff = false
  #goingAway = false
  /** Whether the client has read of that. */
  #toldAway = false

  constructor(link: FrameLink, options: RunningCallsOptions) {
    const { dispatcher, listen, agreed, pipe, events } = options
    this.#link = link
    this.#dispatcher = dispatcher
    this.#options = listen
    this.#pipe = pipe
    this.#events = events
    this.#version = agreed.version
    this.#peerWindowBytes = agreed.peerWindowBytes
    this.#values = new ValueLink(link, agreed.codec, listen.limits)
    this.#reader = new CallReader(this.#values, dispatcher, listen, agreed)
  }

  get size(): number {
    return this.#running.size
  }

  /** Takes no new calls but those that are served to the end, and ends streams of results. */
  goAway(): void {
    this.#goingAway = true
    const reason = streamMoved()
    for (const { call } of this.#running.values()) {
      if (givesStream(call.method.kind)) call.cancel(reason)
    }
  }

  /** What comes from here on was sent although the client knows. */
  clientKnows(): void {
    this.#toldAway = true
  }

  cancelAll(reason: CoveyError): void {
    for (const { call } of this.#running.values()) call.cancel(reason)
  }

  /** Takes a frame of the client that is about calls. @throws CoveyError for which the connection must end */
  take(frame: Frame): void {
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
        return this.#values.learnShape(frame)
      default:
        throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type}`)
    }
  }

  #onCall(frame: Frame): void {
    if (frame.type !== frameType.call && this.#version === 1) {
      throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type} in version 1`)
    }
    if (frame.id === 0 || this.#running.has(frame.id)) {
      throw new CoveyError('PROTOCOL_ERROR', `call number ${frame.id} is 0 or in use`)
    }
    if (this.#full()) return this.#values.sendError(frame.id, this.#tooMany())
    let running: RunningCall
    try {
      running = this.#reader.read(frame, this.#inputs)
      if (this.#goingAway && !this.#servesStill(running.call.method)) {
        throw instanceStopping(this.#dispatcher.instance)
      }
    } catch (error) {
      return this.#values.sendError(frame.id, asInputError(CoveyError.from(error)))
    }
    this.#serve(frame.id, running)
  }

  /** A stream of inputs that left before the client read of the end cannot be sent again elsewhere: its source was asked. */
  #servesStill(method: MethodRef): boolean {
    if (servedToTheEnd(method)) return true
    return method.kind === 'clientStream' && !this.#toldAway
  }

  #full(): boolean {
    const { size } = this.#running
    const { maxCallsPerConnection } = this.#options.limits
    const givenUp = this.#givenUp
    if (givenUp === undefined) return size >= maxCallsPerConnection
    return (
      size + givenUp.size >= maxCallsPerConnection &&
      size + givenUp.recount() >= maxCallsPerConnection
    )
  }

  #tooMany(): CoveyError {
    if (this.#goingAway) return instanceStopping(this.#dispatcher.instance)
    const { maxCallsPerConnection } = this.#options.limits
    const givenUp = this.#givenUp?.size ?? 0
    const some = givenUp === 0 ? '' : `, ${givenUp} of them given up, but still at work`
    const message = `${maxCallsPerConnection} calls are in flight on this connection${some}`
    return new CoveyError('RESOURCE_EXHAUSTED', message)
  }

  #serve(id: number, running: RunningCall): void {
    this.#opened += 1
    this.#running.set(id, running)
    if (running.input !== undefined) this.#inputs += 1
    running.call.onCancel((reason) => this.#onCallCancelled(id, running, reason))
    const putOffMs = this.#cancels === undefined ? 0 : this.#putOffMs(running.call)
    if (putOffMs > 0) this.#beginLater(id, running, putOffMs)
    else if (this.#link.catchingUp) this.#beginSoon(id, running)
    else this.#begin(id, running)
  }

  #putOffMs(call: Call): number {
    const ended = this.#opened - this.#running.size
    return this.#cancels?.putOffMs(call.remainingMs(), ended) ?? 0
  }

  /** Calls of a client that gives up most of what it opens: those that it gives up meanwhile are not begun at all. */
  #beginLater(id: number, running: RunningCall, putOffMs: number): void {
    if (!this.#putOff) this.#events.onPutOff?.(this.#pipe)
    this.#putOff = true
    running.state = 'putOff'
    const timer = this.#options.clock.after(putOffMs, () => this.#begin(id, running))
    running.call.onCancel(timer.stop)
  }

  /**
   * Behind a stall of this process calls are read that their callers have given up long since: the cancels lie behind them.
   * Those are not begun at all.
   */
  #beginSoon(id: number, running: RunningCall): void {
    if (this.#late !== undefined) return void this.#late.set(id, running)
    const late = new Map([[id, running]])
    this.#late = late
    this.#pipe.soon(() => {
      this.#late = undefined
      for (const [id, running] of late)
        if (this.#running.get(id) === running) this.#begin(id, running)
    })
  }

  #begin(id: number, running: RunningCall): void {
    const { call } = running
    running.state = 'begun'
    running.atWork = true
    const served = call.mode === 'wait' ? this.#dispatcher.serve(call) : this.#accept(call)
    served.then(
      (result) => this.#onServed(id, running, result),
      // A call that failed before or, with one result, while its handler ran.
      (error) => {
        this.#onDone(running)
        this.#fail(id, running, error)
      },
    )
  }

  /** The handler of a call has nothing more to do for it, but for a stream that it gave. */
  #onDone(running: RunningCall): void {
    running.atWork = false
    if (running.givenUpIn >= 0) this.#givenUp?.done(running)
  }

  /** From the moment it is accepted on, neither the end of this connection nor a cancel reaches the call. */
  #accept(call: Call): Promise<string | undefined> {
    const dispatcher = this.#dispatcher
    return dispatcher.accept?.(call) ?? Promise.reject(acceptsNothing(dispatcher))
  }

  #onServed(id: number, running: RunningCall, result: unknown): void {
    this.#onDone(running)
    const { method, mode } = running.call
    if (givesStream(method.kind)) return this.#openStream(id, running, result)
    this.#end(id, running, mode === 'wait' ? frameType.result : frameType.accepted, result)
  }

  #openStream(id: number, running: RunningCall, result: unknown): void {
    if (this.#running.get(id) !== running) return leaveStream(result)
    let stream: OutgoingStream
    try {
      stream = this.#values.outgoing(id, result, this.#peerWindowBytes)
    } catch (error) {
      return this.#fail(id, running, error)
    }
    running.output = stream
    // A stream of results is answered with what ends it.
    stream.run().then(
      () => this.#end(id, running, frameType.end, undefined),
      (error) => this.#fail(id, running, error),
    )
  }

  #fail(id: number, running: RunningCall, error: unknown): void {
    this.#end(id, running, frameType.error, CoveyError.from(error))
  }

  /** Answers a call from wherever it came to its end; if the client has much to take before, when it has taken that. */
  #end(id: number, running: RunningCall, type: number, value: unknown): void {
    if (!this.#link.full) return this.#endNow(id, running, type, value)
    if (this.#running.get(id) !== running) return
    this.#held ??= new HeldAnswers(this.#link, (id, running, type, value) => {
      this.#endNow(id, running, type, value)
    })
    this.#held.add(id, running, type, value)
    this.#link.holdIfFull()
  }

  /** A fault of our own costs the connection, whose state is unknown then, not the process. */
  #endNow(id: number, running: RunningCall, type: number, value: unknown): void {
    try {
      this.#finish(id, running, type, value)
    } catch (error) {
      this.#link.fail(CoveyError.from(error))
    }
  }

  /** Sends the last frame of a call, unless the call was given up before. */
  #finish(id: number, running: RunningCall, type: number, value: unknown): void {
    if (this.#running.get(id) !== running) return
    this.#running.delete(id)
    if (running.input !== undefined) {
      this.#inputs -= 1
      running.input.abort(running.call.cancelled ?? callIsOver())
    }
    if (this.#link.open) this.#sendLast(type, id, value)
    if (this.#running.size === 0) this.#events.onIdle()
  }

  #sendLast(type: number, id: number, value: unknown): void {
    if (type === frameType.error) return this.#values.sendError(id, value as CoveyError)
    try {
      this.#values.send(type, id, value)
    } catch (error) {
      this.#values.sendError(id, CoveyError.from(error))
    }
  }

  #onItem(frame: Frame): void {
    const running = this.#takerOf(frame)
    if (running === undefined) return
    let item: unknown
    try {
      item = this.#values.read(frame)
    } catch (error) {
      return running.call.cancel(asInputError(CoveyError.from(error)))
    }
    const input = running.input!
    input.push(item, countedBytes(frame))
    const excess = this.#values.excess(input)
    if (excess !== undefined) running.call.cancel(excess)
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
    running.call.cancel(readReason(frame, this.#values))
    const { clock, limits } = this.#options
    this.#cancels ??= new CancelBudget(clock, limits.maxEarlyCancels)
    const ended = this.#opened - this.#running.size
    if (running.state === 'begun') this.#cancels.take(running.call.openedMs, remainingMs, ended)
    else this.#cancels.skip()
    if (running.state === 'putOff' && this.#cancels.tooMany()) this.#throwOut()
  }

  /** @throws CoveyError for which the connection must end */
  #throwOut(): never {
    this.#link.send(frameType.goAway, 0, 0)
    const { maxEarlyCancels } = this.#options.limits
    const what = `more than ${maxEarlyCancels} calls were opened and given up at once within 10 s`
    const message = `${what}, and it went on by the thousand when further ones were put off`
    throw new CoveyError('RESOURCE_EXHAUSTED', message)
  }

  /** The handler may go on for a while, but its caller has its answer now. */
  #onCallCancelled(id: number, running: RunningCall, reason: CoveyError): void {
    running.output?.abort(reason)
    if (running.atWork && this.#link.open) {
      this.#givenUp ??= new GivenUpCalls(this.#options.clock)
      this.#givenUp.add(running)
    }
    // Ahead of the answers that wait: its own may be one of them.
    this.#endNow(id, running, frameType.error, reason)
  }

  #onCredit(frame: Frame): void {
    const bytes = creditOf(frame)
    this.#running.get(frame.id)?.output?.grant(bytes)
  }
}

/** A body that cannot be read is the caller's mistake; the connection as such is fine. */
function asInputError(error: CoveyError): CoveyError {
  if (error.code !== 'PROTOCOL_ERROR') return error
  return new CoveyError('INVALID_INPUT', error.message, { cause: error })
}
