import type { RoutingOptions } from '../call/routing.ts'
import type { Contract, Methods } from './define-contract.ts'
import type { CallInput, CallOutput, ErrorsOf, Method } from './method.ts'
import type { Ticket } from './ticket.ts'

/** Wishes about one call. */
export interface CallOptions extends RoutingOptions {
  /** Time for the call in milliseconds. It can only shorten what an outer call left. */
  timeoutMs?: number
  /** Cancels the call when it aborts. */
  signal?: AbortSignal
  /** Text that travels with the call. */
  metadata?: Readonly<Record<string, string>>
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
}

/** Calls a method with a stream of results. Leaving the loop early cancels the call. */
export interface ServerStreamClient<M extends Method> extends ErrorGuard<M> {
  (input: CallInput<M>, options?: CallOptions): AsyncIterable<CallOutput<M>>
}

/** Calls one method. */
export type MethodClient<M extends Method> = M['kind'] extends 'unary'
  ? UnaryClient<M>
  : ServerStreamClient<M>

/** A contract as functions. */
export type Client<C extends Contract> = C extends Contract<string, infer M> ? ClientOf<M> : never

type ClientOf<M extends Methods> = { readonly [K in keyof M]: MethodClient<M[K]> }
