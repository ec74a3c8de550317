import type { TimerWheel } from '../base/timer-wheel.ts'
import type { Middleware } from '../call/handler.ts'
import { deadline } from '../middleware/deadline.ts'

/** What the client's stack is made from. */
export interface ClientStackOptions {
  readonly wheel: TimerWheel
  /** The user's own, in order. */
  readonly middleware: readonly Middleware[]
}

/** Everything between a caller and the channel, the outermost first. */
export function clientStack(options: ClientStackOptions): Middleware[] {
  return [
    // First: the time of a call includes all that is done for it.
    deadline(options.wheel),
    ...options.middleware,
  ]
}
