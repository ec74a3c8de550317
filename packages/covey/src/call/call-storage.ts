import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from './call.ts'
import type { ContextRunner } from './input-source.ts'

// One for the process on purpose: the context of a call must reach code that was handed nothing.
const storage = new AsyncLocalStorage<Call>()

/**
 * The call that the running code works for, or undefined outside of one. It follows `await`, timers
 * and events by itself, so a call made inside a handler inherits deadline, cancellation and trace.
 */
export function currentCall(): Call | undefined {
  return storage.getStore()
}

/** Keeps where the running code is: in which call, and in the contexts of others; to run work there later. */
export function keepContext(): ContextRunner {
  return AsyncLocalStorage.snapshot()
}

/** Runs `work` as part of `call`. */
export function runInCall<T>(call: Call, work: () => T): T {
  return storage.run(call, work)
}
