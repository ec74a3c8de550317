import type { RepetitionOptions } from '../call/repetition.ts'
import type { RoutingOptions } from '../call/routing.ts'
import type { Contract, Methods } from './define-contract.ts'
import type { Entry } from './entry.ts'
import type { CallInput, CallOutput, ErrorsOf, Method } from './method.ts'
import type { Ticket } from './ticket.ts'

/** Wishes about one call. */
export interface CallOptions extends RoutingOptions, RepetitionOptions {
  /** Time for the call in milliseconds. It can only shorten what an outer call left. */
  timeoutMs?: number
  /** Cancels the call when it aborts. */
  signal?: AbortSignal
  /** Text that travels with the call. */
  metadata?: Readonly<Record<string, string>>
  /** Text that travels with the call and with all calls made for it; added to what an outer call carries. */
  baggage?: Readonly<Record<string, string>>
}

interface ErrorGuard<M extends Method> {
  /**
   * Whether `error` is the one that the contract declares under `code`; its `details` are typed then.
   * @example if (api.get.isError(error, 'USER_GONE')) console.log(error.details.id)
   */
  isError<Code extends ErrorsOf<M>['code']>(
    error: unknown,
    code: Code,
  ): error is Extract<ErrorsOf<M>, { code: Code }>
}

/** Calls a method with one result. */
export interface UnaryClient<M extends Method> extends ErrorGuard<M> {
  (input: CallInput<M>, options?: CallOptions): Promise<CallOutput<M>>
  /**
   * Resolves when the server has begun the work, and has nothing to say about how it ends. `timeoutMs` is the time for the work;
   * waiting for it to begin takes 5 seconds at most. The work goes on when the caller, its outer call or its connection goes.
   */
  notify(input: CallInput<M>, options?: CallOptions): Promise<void>
  /** The same, and the result is kept: the ticket gets it later, also elsewhere. */
  submit(input: CallInput<M>, options?: CallOptions): Promise<Ticket<CallOutput<M>>>
  /**
   * A ticket from its token, in another process or at another time.
   * @throws CoveyError `INVALID_INPUT` if the text is no token
   */
  ticket(token: string): Ticket<CallOutput<M>>
  /** The same call, not made yet: an entry of a `batch`. */
  of(input: CallInput<M>, options?: CallOptions): Entry<CallOutput<M>>
}

/** Calls a method with a stream of results. Leaving the loop early cancels the call. */
export interface ServerStreamClient<M extends Method> extends ErrorGuard<M> {
  (input: CallInput<M>, options?: CallOptions): AsyncIterable<CallOutput<M>>
}

/**
 * Where the inputs of a stream come from: a generator, a list, a Node `Readable`, a web `ReadableStream`. It is asked for
 * an element when the server has room for it, and left (`return`, `finally`) when the call ends before it does.
 */
export type StreamSource<T> = AsyncIterable<T> | Iterable<T>

/** Calls a method with a stream of inputs. What the source throws ends the call and is thrown here. */
export interface ClientStreamClient<M extends Method> extends ErrorGuard<M> {
  (source: StreamSource<CallInput<M>>, options?: CallOptions): Promise<CallOutput<M>>
}

/** Calls a method with a stream both ways. Leaving the loop early cancels the call; its inputs may end before. */
export interface DuplexClient<M extends Method> extends ErrorGuard<M> {
  (source: StreamSource<CallInput<M>>, options?: CallOptions): AsyncIterable<CallOutput<M>>
}

interface MethodClients<M extends Method> {
  unary: UnaryClient<M>
  serverStream: ServerStreamClient<M>
  clientStream: ClientStreamClient<M>
  duplex: DuplexClient<M>
}

/** Calls one method. */
export type MethodClient<M extends Method> = MethodClients<M>[M['kind']]

/** A contract as functions. */
export type Client<C extends Contract> = C extends Contract<string, infer M> ? ClientOf<M> : never

type ClientOf<M extends Methods> = { readonly [K in keyof M]: MethodClient<M[K]> }
