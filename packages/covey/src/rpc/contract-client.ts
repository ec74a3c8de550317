import type { Clock } from '../base/clock.ts'
import { withAttempt } from '../call/attempt-mark.ts'
import { Call, type CallInit, type CallMode } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { type ContextRunner, InputSource } from '../call/input-source.ts'
import { type Metadata, mergeMetadata, noMetadata, toMetadata } from '../call/metadata.ts'
import { givesStream, takesStream } from '../call/method-ref.ts'
import { once, type Repetition, type RepetitionOptions } from '../call/repetition.ts'
import { type Routing, toRouting } from '../call/routing.ts'
import { nextSpan } from '../call/trace.ts'
import type { CallOptions, Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import { type BatchScope, Entry } from '../contract/entry.ts'
import type { BoundMethod } from '../contract/method.ts'
import { asCancelled } from '../error/as-cancelled.ts'
import { CoveyError } from '../error/covey-error.ts'
import { CallTicket } from './call-ticket.ts'
import { fromCall } from './from-call.ts'
import { methodRepetition, repetitionOf } from './method-repetition.ts'
import { resultContract } from './result-contract.ts'
import type { ResultSource } from './result-source.ts'

/** What turns a contract into functions. Knows no platform, so that browsers use it too. */
export interface ContractClientOptions {
  readonly clock: Clock
  /** Carries out a call: the client's stack and a channel. */
  readonly invoke: Handler
  /** The call that the running code works for. */
  currentCall(): Call | undefined
  /** Keeps the context of the running code; a source of inputs is asked in it later. Default: there is none. */
  keepContext?(): ContextRunner
  /** Time for calls that say nothing, in milliseconds; default: what the contract says. */
  readonly timeoutMs?: number | undefined
  /** Which instances take calls that say nothing of it. Default: any. */
  readonly routing?: Routing | undefined
  /** Whether calls go to one address, whichever instance is there. Default false. */
  readonly fixed?: boolean | undefined
  /** How calls that say nothing of it are repeated. Default: what the contract says. */
  readonly repetition?: RepetitionOptions | undefined
}

/** The same for one method. */
interface MethodClientOptions extends Omit<ContractClientOptions, 'repetition'> {
  readonly repetition: Repetition | undefined
}

const noWishes: CallOptions = Object.freeze({})

/** The longest to wait until a server has begun work whose result is not waited for, in milliseconds. */
const acceptanceMs = 5_000

/** Makes a function of each method of a contract. @throws TypeError if the client asks for what no method allows */
export function contractClient<C extends Contract>(
  contract: C,
  options: ContractClientOptions,
): Client<C> {
  const source = resultSource(options)
  const repetition = methodRepetition(contract, options.repetition)
  const methods = Object.values(contract.methods).map((method) => {
    const run = ofKind(method, { ...options, repetition: repetition(method) }, source)
    const isError = (error: unknown, code: string) =>
      error instanceof CoveyError && error.code === code && Object.hasOwn(method.errors, code)
    return [method.name, Object.assign(run, { isError })]
  })
  return Object.freeze(Object.fromEntries(methods)) as Client<C>
}

function ofKind(method: BoundMethod, options: MethodClientOptions, source: ResultSource) {
  if (givesStream(method.kind)) return streamMethod(method, options)
  if (method.kind === 'unary') return withModes(method, options, source)
  return resultMethod(method, options)
}

/** The ways to call a method with one input and one result. */
function withModes(method: BoundMethod, options: MethodClientOptions, source: ResultSource) {
  const run = resultMethod(method, options)
  const submit = resultMethod(method, options, 'submit')
  const ticket = (token: string) => new CallTicket(token, method, source)
  return Object.assign((input: unknown, wishes?: CallOptions) => run(input, wishes), {
    notify: resultMethod(method, options, 'notify'),
    submit: async (input: unknown, wishes?: CallOptions) =>
      ticket((await submit(input, wishes)) as string),
    ticket,
    of: (input: unknown, wishes?: CallOptions) =>
      new Entry(method.path, (scope) => run(input, wishes, scope)),
  })
}

function resultSource(options: ContractClientOptions): ResultSource {
  const { clock, currentCall, fixed: anywhere = false } = options
  // The token says which instance: where the client's other calls go is of no matter.
  const { collect } = resultContract.methods
  // Whoever waits for a result asks again by himself.
  const ask = resultMethod(collect, { ...options, routing: undefined, repetition: once })
  return { clock, anywhere, currentCall, collect: ask as ResultSource['collect'] }
}

/** A method with one result. */
function resultMethod(method: BoundMethod, options: MethodClientOptions, mode?: CallMode) {
  const toInput = inputOf(method, options)
  return async (
    given: unknown,
    wishes: CallOptions = noWishes,
    scope?: BatchScope,
  ): Promise<unknown> => {
    const input = toInput(given)
    const { call, release } = openCall(method, input, wishes, options, mode, scope)
    try {
      const result = options.invoke(call)
      return await (scope === undefined ? result : untilCancelled(call, result))
    } catch (error) {
      throw ofSource(error, input) ?? fromCall(error, method)
    } finally {
      release()
      scope?.closed(call)
    }
  }
}

/** Nothing holds an entry of a batch longer than the batch, whatever a middleware of the caller does. */
function untilCancelled(call: Call, result: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.onCancel(reject)
    result.then(resolve, reject)
  })
}

/** A method with a stream of results; the call begins when the first of them is asked for. */
function streamMethod(method: BoundMethod, options: MethodClientOptions) {
  const toInput = inputOf(method, options)
  return (given: unknown, wishes: CallOptions = noWishes): AsyncIterable<unknown> => ({
    async *[Symbol.asyncIterator]() {
      const input = toInput(given)
      const { call, release } = openCall(method, input, wishes, options)
      try {
        yield* (await options.invoke(call)) as AsyncIterable<unknown>
      } catch (error) {
        throw ofSource(error, input) ?? fromCall(error, method)
      } finally {
        release()
        call.cancel(new CoveyError('CANCELLED', 'the reader left the stream'))
      }
    },
  })
}

/** What a caller passes, as it goes into a call. */
function inputOf(
  { kind, path }: BoundMethod,
  { keepContext }: MethodClientOptions,
): (given: unknown) => unknown {
  if (!takesStream(kind)) return (given) => given
  return (given) => new InputSource(given, path, keepContext?.())
}

/** What the caller's own source threw comes back as it was. */
function ofSource(error: unknown, input: unknown): unknown {
  return input instanceof InputSource && input.threw(error) ? input.thrown : undefined
}

/** A call that inherits what the surrounding one has: its deadline, its cancellation, its trace, its baggage. */
function openCall(
  method: BoundMethod,
  input: unknown,
  wishes: CallOptions,
  { clock, currentCall, timeoutMs, routing, repetition }: MethodClientOptions,
  mode: CallMode = 'wait',
  scope?: BatchScope,
): OpenedCall {
  const parent = currentCall()
  const allowedMs = wishes.timeoutMs ?? timeoutMs ?? method.timeoutMs
  if (Number.isNaN(allowedMs)) throw new TypeError(`${method.path}: timeoutMs is NaN`)
  const limitMs = mode === 'wait' ? scope?.timeoutMs : acceptanceMs
  const ownMs = limitMs === undefined ? allowedMs : Math.min(allowedMs, limitMs)
  const openedMs = clock.monotonicMs()
  const deadlineMs = openedMs + ownMs
  const init: CallInit = {
    clock,
    openedMs,
    deadlineMs: parent === undefined ? deadlineMs : Math.min(deadlineMs, parent.deadlineMs),
    trace: nextSpan(parent?.trace),
    metadata: metadataOf(parent, wishes),
    baggage: baggageOf(parent, wishes),
    routing: wishes === noWishes ? routing : toRouting(wishes, routing),
    mode,
    workMs: mode === 'wait' ? undefined : allowedMs,
    batch: scope,
    repetition: wishes === noWishes ? repetition : repetitionOf(method, mode, wishes, repetition),
  }
  const call = new Call(method, input, init)
  scope?.opened(call)
  return new OpenedCall(call, link(call, parent, wishes.signal))
}

/** A class, because a function that waits keeps what it was given: see `PendingCall`. */
class OpenedCall {
  readonly call: Call
  /** Takes back what ties the call to its caller. */
  readonly release: () => void

  constructor(call: Call, release: () => void) {
    this.call = call
    this.release = release
  }
}

/** What is called for a call that is sent again says so too. */
function metadataOf(parent: Call | undefined, wishes: CallOptions): Metadata {
  const own = toMetadata(wishes.metadata)
  return parent === undefined ? own : withAttempt(own, parent.attempt)
}

function baggageOf(parent: Call | undefined, { baggage }: CallOptions): Metadata | undefined {
  if (baggage === undefined) return parent?.baggage
  return mergeMetadata(parent?.baggage ?? noMetadata, toMetadata(baggage))
}

/** Cancels the call when the surrounding one or the caller's signal ends; returns how to take that back. */
function link(call: Call, parent: Call | undefined, signal: AbortSignal | undefined): () => void {
  if (parent === undefined && signal === undefined) return nothingToRelease
  const onParent = (reason: CoveyError) => call.cancel(reason)
  const onAbort = () => call.cancel(asCancelled(signal?.reason))
  parent?.onCancel(onParent)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  return () => {
    parent?.offCancel(onParent)
    signal?.removeEventListener('abort', onAbort)
  }
}

function nothingToRelease(): void {}
