import { type Clock, systemClock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import { attemptIn, withAttempt } from './attempt-mark.ts'
import { type Metadata, noMetadata } from './metadata.ts'
import type { MethodRef } from './method-ref.ts'
import { localPeer, type Peer } from './peer.ts'
import { once, type Repetition } from './repetition.ts'
import type { Routing } from './routing.ts'
import { nextSpan, type Trace } from './trace.ts'

/**
 * What the caller wants back: the result (`wait`), only to know that the work has begun (`notify`), or a token under which the
 * result is kept (`submit`).
 */
export type CallMode = 'wait' | 'notify' | 'submit'

/** Everything about a new call but its method and input. */
export interface CallInit {
  /** Instant on `clock.monotonicMs()` at which it was made or arrived. Default: now. */
  readonly openedMs?: number | undefined
  /** Instant on `clock.monotonicMs()` at which the call is over. Default: never. */
  readonly deadlineMs?: number | undefined
  /** Default: a new trace. */
  readonly trace?: Trace | undefined
  readonly metadata?: Metadata | undefined
  readonly baggage?: Metadata | undefined
  readonly peer?: Peer | undefined
  readonly routing?: Routing | undefined
  /** The batch that it is an entry of. Its calls to one instance leave in one write. */
  readonly batch?: object | undefined
  /** Default `wait`. */
  readonly mode?: CallMode | undefined
  /** Of a caller that does not wait: time for the work, in milliseconds. Default: none. */
  readonly workMs?: number | undefined
  /** Default: what is usual. */
  readonly repetition?: Repetition | undefined
  /** The attempt before this one, of the same call. Default: this is the first. */
  readonly previous?: Call | undefined
  readonly clock?: Clock | undefined
}

/** Whom an attempt went to. */
export interface Recipient {
  readonly instance: { readonly id: string }
  /** Whether it stands still: it says nothing, also when it is asked. */
  readonly stalled?: boolean
  /** How it is, for messages: `users-1: stalled: nothing heard for 800 ms`. */
  describe?(): string
}

type CancelListener = (reason: CoveyError) => void

/**
 * One call, on either side: what is asked, and all that travels with it. Handlers and middleware get
 * it; only its owner (the runtime) cancels it.
 */
export class Call {
  readonly method: MethodRef
  /**
   * What the caller sent; behind input validation, what the schema made of it. Of client streams and duplex: an
   * `AsyncIterable` of that, for one reader.
   */
  input: unknown
  /** Instant on the monotonic clock at which it was made; at the server, at which it arrived. */
  readonly openedMs: number
  /** Instant on the monotonic clock at which the call is over; `Infinity` when it has no limit. */
  readonly deadlineMs: number
  readonly metadata: Metadata
  /** Text that goes on with every call that is made for this one, to the leaves: a tenant, an experiment. */
  readonly baggage: Metadata
  readonly peer: Peer
  readonly routing: Routing | undefined
  readonly batch: object | undefined
  readonly mode: CallMode
  /**
   * Time for the work in milliseconds where its caller does not wait, or undefined for none: there `deadlineMs` only bounds
   * how long it takes until the work has begun. Means nothing at the server, whose `deadlineMs` is that of the work.
   */
  readonly workMs: number | undefined
  /** How often it may be sent; undefined for what is usual. */
  readonly repetition: Repetition | undefined
  /** The attempt before this one, at the client's end. */
  readonly previous: Call | undefined
  /** The last attempt that was made for it with `again`, if any; those before are its `previous` ones. */
  latest: Call | undefined = undefined
  /** Where it went, as the channel notes it; undefined as long as nobody was there to take it. */
  sentTo: Recipient | undefined = undefined
  /**
   * Told what listeners of `onCancel` throw; a server writes it to its log. Where it is undefined it becomes an uncaught error, as what
   * listeners of an `AbortSignal` throw does.
   */
  onFault: ((error: unknown, call: Call) => void) | undefined = undefined
  readonly clock: Clock
  #trace: Trace | undefined
  #controller: AbortController | undefined
  #reason: CoveyError | undefined
  // Two fields, for as many as most calls have, and no list: see `PendingCall`.
  #listener: CancelListener | undefined
  #secondListener: CancelListener | undefined
  #laterListeners: CancelListener[] | undefined

  constructor(method: MethodRef, input: unknown, init: CallInit = {}) {
    this.method = method
    this.input = input
    this.deadlineMs = init.deadlineMs ?? Number.POSITIVE_INFINITY
    this.metadata = init.metadata ?? noMetadata
    this.baggage = init.baggage ?? noMetadata
    this.peer = init.peer ?? localPeer
    this.routing = init.routing
    this.batch = init.batch
    this.mode = init.mode ?? 'wait'
    this.workMs = init.workMs
    this.repetition = init.repetition
    this.previous = init.previous
    this.clock = init.clock ?? systemClock
    this.#trace = init.trace
    this.openedMs = init.openedMs ?? this.clock.monotonicMs()
  }

  /** Place of this call in its trace. */
  get trace(): Trace {
    this.#trace ??= nextSpan()
    return this.#trace
  }

  /**
   * 1, or more when this call, or one that it is made for, repeats one that may have been run or refused before. What is called
   * for such a call is not repeated: one service of a chain does it, not all of them, one for each of the others.
   */
  get attempt(): number {
    return this.metadata.size === 0 ? 1 : attemptIn(this.metadata)
  }

  /** Milliseconds until the deadline, negative behind it; `Infinity` when there is none. */
  remainingMs(): number {
    return this.deadlineMs - this.clock.monotonicMs()
  }

  /** Milliseconds that the server has for it, as a transport tells it; `Infinity` when there is no limit. */
  serverMs(): number {
    if (this.mode === 'wait') return this.remainingMs()
    return this.workMs ?? Number.POSITIVE_INFINITY
  }

  /** Aborts when the caller cancels, the deadline passes or the caller's connection breaks. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Why the call was cancelled, or undefined while it was not. */
  get cancelled(): CoveyError | undefined {
    return this.#reason
  }

  /** Ends the call. The first reason stays; later ones are ignored. */
  cancel(reason: CoveyError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller?.abort(reason)
    const first = this.#listener
    const second = this.#secondListener
    const later = this.#laterListeners
    this.#listener = this.#secondListener = this.#laterListeners = undefined
    if (first !== undefined) this.#tell(first, reason)
    if (second !== undefined) this.#tell(second, reason)
    if (later !== undefined) for (const listener of later) this.#tell(listener, reason)
  }

  /** One that throws must keep neither those behind it nor whoever cancels from their work: a connection, the wheel of deadlines. */
  #tell(listener: CancelListener, reason: CoveyError): void {
    try {
      listener(reason)
    } catch (error) {
      if (this.onFault !== undefined) return this.onFault(error, this)
      queueMicrotask(() => {
        throw error
      })
    }
  }

  /**
   * Runs `listener` when the call is cancelled, at once if it is already. Cheaper than `signal`, which
   * needs a controller for each call. What it throws then is told to `onFault`.
   */
  onCancel(listener: CancelListener): void {
    if (this.#reason !== undefined) listener(this.#reason)
    else if (this.#laterListeners !== undefined) this.#laterListeners.push(listener)
    else if (this.#secondListener !== undefined) this.#laterListeners = [listener]
    else if (this.#listener !== undefined) this.#secondListener = listener
    else this.#listener = listener
  }

  /** Takes back `onCancel`. */
  offCancel(listener: CancelListener): void {
    if (this.#listener === listener) this.#listener = undefined
    if (this.#secondListener === listener) this.#secondListener = undefined
    this.#laterListeners = this.#laterListeners?.filter((other) => other !== listener)
  }

  /**
   * The same call again, to be sent and cancelled by itself. Nobody repeats it but who made it.
   * @param attempt what it says of itself
   */
  again(previous: Call | undefined, attempt: number): Call {
    const { method, input, metadata, ...same } = this
    this.latest = new Call(method, input, {
      ...same,
      trace: this.trace,
      metadata: withAttempt(metadata, attempt),
      repetition: once,
      previous,
    })
    return this.latest
  }

  /** An error that the contract of this method declares, to be thrown by its handler. */
  error(code: string, details?: unknown, message = `${this.method.path}: ${code}`): CoveyError {
    return new CoveyError(code, message, { details })
  }
}
