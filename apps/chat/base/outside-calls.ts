import { AsyncLocalStorage } from 'node:async_hooks'

/** Runs work that belongs to no call. */
export type Outside = <T>(work: () => T) => T

/**
 * For background work that a handler sets off: without this it would inherit the handler's call, with its
 * deadline and its cancellation. To be made at the start, where there is no call.
 */
export function outsideCalls(): Outside {
  return AsyncLocalStorage.snapshot()
}
