import type { InputOf, OutputOf, Schema } from '../base/schema.ts'
import type { CallKind, MethodRef } from '../call/method-ref.ts'
import {
  type Repetition,
  type RepetitionOptions,
  requireHedgeable,
  toRepetition,
} from '../call/repetition.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { nothing } from './schema.ts'

/** Errors a method declares: code to the schema of its details. */
export type ErrorSchemas = Readonly<Record<string, Schema>>

/** Settings of a method in a contract. What it says about repetition counts for callers that say nothing of it. */
export interface MethodOptions<I extends Schema, O extends Schema, E extends ErrorSchemas>
  extends RepetitionOptions {
  /** What the caller sends; of a stream of inputs, each element. Default: nothing. */
  input?: I
  /** What the caller gets; of a stream, each element. Default: nothing. */
  output?: O
  /** Errors that callers are expected to handle. Codes are UPPER_SNAKE_CASE. */
  errors?: E
  /**
   * Whether running it twice is the same as running it once. Such calls are repeated when they may have run. Default false.
   */
  idempotent?: boolean
  /** Time for one call in milliseconds, when the caller sets none. Default 5,000; streams: none. */
  timeoutMs?: number
}

/** One method of a contract, before the contract gives it a name. */
export interface Method<
  K extends CallKind = CallKind,
  I extends Schema = Schema,
  O extends Schema = Schema,
  E extends ErrorSchemas = ErrorSchemas,
> {
  readonly kind: K
  readonly input: I
  readonly output: O
  readonly errors: E
  readonly idempotent: boolean
  /** Milliseconds; `Infinity` for no limit. */
  readonly timeoutMs: number
  readonly repetition?: Repetition | undefined
}

/** A method with its place in a contract. */
export type BoundMethod<M extends Method = Method> = M & MethodRef

/** An error of this method: `details` has the type its contract declares for `code`. */
export interface ContractError<Code extends string, Details> extends CoveyError {
  readonly code: Code
  readonly details: Details
}

/** All errors that a method declares, told apart by `code`. */
export type ErrorsOf<M extends Method> = {
  [Code in keyof M['errors'] & string]: ContractError<Code, OutputOf<M['errors'][Code]>>
}[keyof M['errors'] & string]

/** Default time for a unary call, in milliseconds: every call ends. */
export const defaultTimeoutMs = 5_000

// `NoInfer` keeps the contract around a method from deciding what its missing schemas are.

/**
 * A method with one input and one output.
 *
 * @example
 * unary({ input: z.object({ id: z.string() }), output: User, idempotent: true, timeoutMs: 500 })
 */
export function unary<
  I extends Schema = Schema<void>,
  O extends Schema = Schema<void>,
  const E extends ErrorSchemas = Record<never, Schema>,
>(options: MethodOptions<I, O, E> = {}): Method<'unary', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return toMethod('unary', options, defaultTimeoutMs)
}

/** A method with one input and a stream of outputs. It has no time limit unless one is set. */
export function serverStream<
  I extends Schema = Schema<void>,
  O extends Schema = Schema<void>,
  const E extends ErrorSchemas = Record<never, Schema>,
>(
  options: MethodOptions<I, O, E> = {},
): Method<'serverStream', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return toMethod('serverStream', options, Number.POSITIVE_INFINITY)
}

/**
 * A method with a stream of inputs and one output, for uploads and imports. Its schemas are those of each input and of the
 * output. It has no time limit unless one is set.
 *
 * @example
 * clientStream({ input: z.instanceof(Uint8Array), output: z.object({ bytes: z.number() }) })
 */
export function clientStream<
  I extends Schema = Schema<void>,
  O extends Schema = Schema<void>,
  const E extends ErrorSchemas = Record<never, Schema>,
>(
  options: MethodOptions<I, O, E> = {},
): Method<'clientStream', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return toMethod('clientStream', options, Number.POSITIVE_INFINITY)
}

/**
 * A method with a stream of inputs and a stream of outputs, which go on independently of each other: its schemas are those
 * of each element. It has no time limit unless one is set.
 *
 * @example
 * duplex({ input: z.object({ text: z.string() }), output: z.object({ reply: z.string() }) })
 */
export function duplex<
  I extends Schema = Schema<void>,
  O extends Schema = Schema<void>,
  const E extends ErrorSchemas = Record<never, Schema>,
>(options: MethodOptions<I, O, E> = {}): Method<'duplex', NoInfer<I>, NoInfer<O>, NoInfer<E>> {
  return toMethod('duplex', options, Number.POSITIVE_INFINITY)
}

function toMethod<K extends CallKind, I extends Schema, O extends Schema, E extends ErrorSchemas>(
  kind: K,
  options: MethodOptions<I, O, E>,
  timeoutMs: number,
): Method<K, I, O, E> {
  const idempotent = options.idempotent ?? false
  requireHedgeable({ kind, idempotent }, `${kind} method`, options)
  return Object.freeze({
    kind,
    input: options.input ?? (nothing as Schema as I),
    output: options.output ?? (nothing as Schema as O),
    errors: options.errors ?? ({} as E),
    idempotent,
    timeoutMs: options.timeoutMs ?? timeoutMs,
    repetition: toRepetition(options, `${kind} method`),
  })
}

/** What a caller passes to a method. */
export type CallInput<M extends Method> = InputOf<M['input']>
/** What a handler is given: the input as its schema made it. */
export type HandlerInput<M extends Method> = OutputOf<M['input']>
/** What a handler returns. */
export type HandlerOutput<M extends Method> = InputOf<M['output']>
/** What a caller gets. */
export type CallOutput<M extends Method> = OutputOf<M['output']>
