import type { TimerWheel } from '../base/timer-wheel.ts'
import type { Middleware } from '../call/handler.ts'
import type { RetryOptions } from '../middleware/attempts.ts'
import { deadline } from '../middleware/deadline.ts'
import { hedging } from '../middleware/hedging.ts'
import { retry } from '../middleware/retry.ts'

/** What the client's stack is made from. */
export interface ClientStackOptions {
  readonly wheel: TimerWheel
  /** The user's own, in order. */
  readonly middleware: readonly Middleware[]
  /** How calls are sent more than once. Missing where they go to one connection and not by a channel, which knows of others. */
  readonly retry?: RetryOptions | undefined
}

/** Everything between a caller and the channel, the outermost first. */
export function clientStack({ wheel, middleware, retry: again }: ClientStackOptions): Middleware[] {
  return [
    // First: the time of a call includes all that is done for it, pauses and further attempts too.
    deadline(wheel),
    ...middleware,
    // Innermost: the user's middleware sees one call and one result, however often it is sent. Hedging outside of retry, for it
    // makes all attempts of the calls that it is asked for, and each of them is sent once.
    ...(again === undefined ? [] : [hedging(again), retry(again)]),
  ]
}
