import { IdTable } from '../../base/id-table.ts'
import type { Call } from '../../call/call.ts'
import { givesStream, takesStream } from '../../call/method-ref.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { codeEntry } from '../../error/codes.ts'
import { CoveyError, type ErrorData } from '../../error/covey-error.ts'
import { readErrorData } from '../../error/read-error-data.ts'
import type { CallWriter } from './call-writer.ts'
import type { FrameLink } from './frame-link.ts'
import type { IncomingStream } from './incoming-stream.ts'
import { PendingCall } from './pending-call.ts'
import type { Pipe } from './pipe.ts'
import { callIsOver, sourceError } from './stream-errors.ts'
import { countedBytes, creditOf, type ValueLink } from './value-link.ts'

const highestId = 0xffffffff

/** What a server answers to a cancel, by what the cancel names; so it is not late. */
const cancelCodes: readonly string[] = ['CANCELLED', 'DEADLINE_EXCEEDED']

/** Callers may give reasons with other codes; the answers to more of them than these count as late. */
const maxOtherCodes = 100

/** What the calls of a connection need beside its link. */
export interface PendingCallsOptions {
  readonly pipe: Pick<Pipe, 'hold'>
  readonly values: ValueLink
  readonly writer: CallWriter
  readonly maxCalls: number
  /** Further calls are refused while more bytes of those before them wait to be sent. */
  readonly maxUnsentBytes: number
  /** Bytes of a stream that the server takes ahead of its handler. */
  readonly peerWindowBytes: number
  /** The first call gets the next number. */
  readonly lastId: number
  /** An answer was dropped: its call had been given up, or answered. */
  onLateAnswer?: (() => void) | undefined
}

/** The calls of a connection at the client's end: hands out numbers to them and brings each answer to its own call. */
export class PendingCalls {
  readonly #link: FrameLink
  readonly #options: PendingCallsOptions
  readonly #values: ValueLink
  readonly #writer: CallWriter
  readonly #pending = new IdTable<PendingCall>()
  #lastId: number
  /** All numbers were used once, so an answer to any of them may come late. */
  #wrapped = false
  #lateAnswers = 0
  /** Codes of reasons beside {@link cancelCodes}. */
  #otherCodes: Set<string> | undefined

  constructor(link: FrameLink, options: PendingCallsOptions) {
    this.#link = link
    this.#options = options
    this.#values = options.values
    this.#writer = options.writer
    this.#lastId = options.lastId
  }

  get size(): number {
    return this.#pending.size
  }

  /** Answers that came for calls that had been given up, or twice; they were dropped. */
  get lateAnswers(): number {
    return this.#lateAnswers
  }

  /** Sends a call; the link is open. */
  invoke(call: Call): Promise<unknown> {
    const refusal = this.#refusal(call)
    if (refusal !== undefined) return Promise.reject(refusal)
    const id = this.#nextId()
    // Noted before: a frame that fills the write makes it leave at once, and then the call may run.
    const { batch } = this.#link
    try {
      this.#writer.write(id, call)
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

  /** Takes a frame of the server that is about calls. @throws CoveyError `PROTOCOL_ERROR` */
  take(frame: Frame): void {
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
      default:
        throw new CoveyError('PROTOCOL_ERROR', `frame type ${frame.type}`)
    }
  }

  /** The connection is gone. Only a call that has certainly not left is reported as not run. */
  failAll(reason: CoveyError): void {
    for (const id of this.#pending.keys()) {
      const pending = this.#remove(id)!
      const left = pending.batch < this.#link.batch
      pending.fail(left ? mayHaveRun(reason) : notSent(reason))
    }
  }

  #refusal(call: Call): CoveyError | undefined {
    const { maxCalls, maxUnsentBytes } = this.#options
    const { queuedBytes } = this.#link
    if (this.#pending.size >= maxCalls) {
      const message = `${maxCalls} calls are in flight on this connection`
      return new CoveyError('RESOURCE_EXHAUSTED', message)
    }
    if (queuedBytes <= maxUnsentBytes) return this.#writer.refusal(call)
    const message = `not sent: ${queuedBytes} bytes of calls before it wait until the server takes them, and the limit is ${maxUnsentBytes}`
    return new CoveyError('RESOURCE_EXHAUSTED', message)
  }

  #nextId(): number {
    do {
      this.#wrapped ||= this.#lastId === highestId
      this.#lastId = this.#lastId === highestId ? 1 : this.#lastId + 1
    } while (this.#pending.has(this.#lastId))
    return this.#lastId
  }

  #await(
    id: number,
    call: Call,
    batch: number,
    result: (value: unknown) => void,
    fail: (error: CoveyError) => void,
  ): PendingCall {
    if (this.#pending.size === 0) this.#options.pipe.hold(true)
    const onCancel = (reason: CoveyError) => this.#abandon(id, reason)
    const pending = new PendingCall(call, batch, onCancel, result, fail)
    this.#pending.set(id, pending)
    call.onCancel(onCancel)
    return pending
  }

  #openStream(id: number, call: Call, batch: number): IncomingStream {
    const stream = this.#values.incoming(id, () => {
      this.#abandon(id, new CoveyError('CANCELLED', 'the reader left the stream'))
    })
    const finish = (error?: CoveyError) => stream.finish(error)
    const pending = this.#await(id, call, batch, () => finish(), finish)
    pending.output = stream
    if (takesStream(call.method.kind)) this.#sendInputs(id, pending)
    return stream
  }

  /** Begins to send the elements of the caller's source; `#remove` ends it however the call ends. */
  #sendInputs(id: number, pending: PendingCall): void {
    // Given up while it was being made.
    if (this.#pending.get(id) !== pending) return
    pending.input = this.#values.outgoing(id, pending.call.input, this.#options.peerWindowBytes)
    pending.input.run().then(
      () => void (this.#link.open && this.#link.send(frameType.end, 0, id)),
      (error) => this.#abandon(id, sourceError(error)),
    )
  }

  /** The caller wants no answer any more: tell the server why. */
  #abandon(id: number, reason: CoveyError): void {
    const pending = this.#remove(id)
    if (pending === undefined) return
    // First: whatever happens to the frame, the caller has its answer.
    pending.fail(reason)
    this.#noteCode(reason.code)
    if (this.#link.open) this.#writer.cancel(id, reason)
  }

  #noteCode(code: string): void {
    if (cancelCodes.includes(code)) return
    this.#otherCodes ??= new Set()
    if (this.#otherCodes.size < maxOtherCodes) this.#otherCodes.add(code)
  }

  #remove(id: number): PendingCall | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#options.pipe.hold(false)
    pending.call.offCancel(pending.onCancel)
    pending.input?.abort(callIsOver())
    return pending
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
    const pending = this.#remove(id)
    if (pending === undefined) return this.#onLate()
    try {
      pending.result(this.#values.read(frame))
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
      item = this.#values.read(frame)
    } catch (error) {
      return this.#abandon(id, CoveyError.from(error))
    }
    stream.push(item, countedBytes(frame))
    const excess = this.#values.excess(stream)
    if (excess === undefined) return
    stream.abort(excess)
    this.#abandon(id, excess)
  }

  #onEnd(frame: Frame): void {
    const pending = this.#pending.get(this.#known(frame))
    if (pending === undefined) return
    requireKind(frame, pending, true)
    this.#remove(frame.id)
    pending.result(undefined)
  }

  #onCredit(frame: Frame): void {
    this.#pending.get(this.#known(frame))?.input?.grant(creditOf(frame))
  }

  #onError(frame: Frame): void {
    const pending = this.#remove(this.#known(frame))
    if (pending === undefined) return this.#onLateError(frame)
    try {
      pending.fail(readErrorData(this.#values.read(frame)))
    } catch (error) {
      pending.fail(CoveyError.from(error))
    }
  }

  #onLate(): void {
    this.#lateAnswers += 1
    this.#options.onLateAnswer?.()
  }

  #onLateError(frame: Frame): void {
    let code: string | undefined
    try {
      code = (this.#values.read(frame) as Partial<ErrorData> | undefined)?.code
    } catch {
      // Nobody waits for it.
    }
    if (code === undefined || cancelCodes.includes(code)) return
    if (this.#otherCodes?.has(code) !== true) this.#onLate()
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
