import type { InputOf } from '../base/schema.ts'
import type { Call } from '../call/call.ts'
import type { CoveyError } from '../error/covey-error.ts'
import type { Contract, Methods } from './define-contract.ts'
import type { HandlerInput, HandlerOutput, Method } from './method.ts'

/** The call as a handler sees it: `error` knows the codes of its own method. */
export interface MethodCall<M extends Method> extends Omit<Call, 'error'> {
  /**
   * Makes an error that the contract declares, to be thrown.
   * @example throw call.error('USER_GONE', { id })
   */
  error<Code extends keyof M['errors'] & string>(
    code: Code,
    details: InputOf<M['errors'][Code]>,
    message?: string,
  ): CoveyError
}

interface MethodHandlers<M extends Method> {
  unary(input: HandlerInput<M>, call: MethodCall<M>): OneResult<M>
  serverStream(input: HandlerInput<M>, call: MethodCall<M>): AsyncIterable<HandlerOutput<M>>
  clientStream(inputs: AsyncIterable<HandlerInput<M>>, call: MethodCall<M>): OneResult<M>
  duplex(
    inputs: AsyncIterable<HandlerInput<M>>,
    call: MethodCall<M>,
  ): AsyncIterable<HandlerOutput<M>>
}

type OneResult<M extends Method> = HandlerOutput<M> | Promise<HandlerOutput<M>>

/**
 * The function behind one method. A stream of inputs is read once, by one reader; it throws what ended the call on the other
 * side. Leaving it early holds the caller's source until the call ends.
 */
export type MethodHandler<M extends Method> = MethodHandlers<M>[M['kind']]

/** The functions behind all methods of a contract. */
export type Handlers<M extends Methods> = { readonly [K in keyof M]: MethodHandler<M[K]> }

/** A contract with the code that fulfils it. */
export interface Service<Name extends string = string, M extends Methods = Methods> {
  readonly contract: Contract<Name, M>
  readonly handlers: Handlers<M>
}

/** A service of any contract, for lists. */
// biome-ignore lint/suspicious/noExplicitAny: each service fits its own contract, which a list cannot say
export type AnyService = Service<string, any>

/**
 * Attaches code to a contract.
 *
 * @throws TypeError if a method has no handler, or a handler has no method
 * @example
 * export const usersService = defineService(users, {
 *   async get({ id }, call) {
 *     return rows.get(id) ?? raise(call.error('USER_GONE', { id }))
 *   },
 * })
 */
export function defineService<Name extends string, M extends Methods>(
  contract: Contract<Name, M>,
  handlers: Handlers<M>,
): Service<Name, M> {
  for (const name of Object.keys(contract.methods)) {
    if (typeof handlers[name] !== 'function') {
      throw new TypeError(`service "${contract.name}": no handler for method "${name}"`)
    }
  }
  for (const name of Object.keys(handlers)) {
    if (!Object.hasOwn(contract.methods, name)) {
      const known = Object.keys(contract.methods).join(', ')
      throw new TypeError(`service "${contract.name}" has no method "${name}"; it has: ${known}`)
    }
  }
  return Object.freeze({ contract, handlers })
}
