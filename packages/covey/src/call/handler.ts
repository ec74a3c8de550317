import type { Call } from './call.ts'

/**
 * Carries out one call. Calls with one result (unary, client stream) settle with it; those with a stream of results (server
 * stream, duplex) settle with an `AsyncIterable` as soon as it is open. `call.input` is an `AsyncIterable` for client streams
 * and duplex. Rejects with a `CoveyError`.
 */
export type Handler = (call: Call) => Promise<unknown>

/**
 * Wraps a handler into another one. The same type serves client and server, unary and stream,
 * and every transport. It is applied once, at registration, never per call.
 *
 * @example
 * const log: Middleware = (next) => async (call) => {
 *   console.log(call.method.path)
 *   return next(call)
 * }
 */
export type Middleware = (next: Handler) => Handler

/** Composes middleware around a handler; the first of the list is the outermost. */
export function compose(list: readonly Middleware[], handler: Handler): Handler {
  return list.reduceRight((next, middleware) => middleware(next), handler)
}
