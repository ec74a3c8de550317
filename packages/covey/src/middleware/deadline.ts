import type { TimerWheel } from '../base/timer-wheel.ts'
import type { Call, Recipient } from '../call/call.ts'
import type { Middleware } from '../call/handler.ts'
import { givesStream } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'

/**
 * Ends calls whose time is used up: one that is over is not begun, and one that runs into its deadline is
 * cancelled, which its transport and its handler's `signal` see.
 */
export function deadline(wheel: TimerWheel): Middleware {
  return (next) => (call) => {
    const { deadlineMs } = call
    if (deadlineMs === Number.POSITIVE_INFINITY) return next(call)
    if (call.remainingMs() <= 0) return Promise.reject(exceeded(call, 'before it began'))
    const entry = wheel.add(deadlineMs, () => call.cancel(exceeded(call, 'while it ran')))
    const remove = () => wheel.remove(entry)
    // A handler that goes on after its call was cancelled must not keep the entry.
    call.onCancel(remove)
    return whenDone(next(call), call, remove)
  }
}

function whenDone(result: Promise<unknown>, call: Call, remove: () => void): Promise<unknown> {
  if (givesStream(call.method.kind)) {
    return result.then(
      (stream) => endingWith(stream as AsyncIterable<unknown>, remove),
      (error) => {
        remove()
        throw error
      },
    )
  }
  result.then(remove, remove)
  return result
}

/** A stream is done long after the promise of it: when its end is reached, it fails, or its reader leaves. */
async function* endingWith(
  stream: AsyncIterable<unknown>,
  remove: () => void,
): AsyncGenerator<unknown> {
  try {
    yield* stream
  } finally {
    remove()
  }
}

function exceeded(call: Call, when: string): CoveyError {
  const { method } = call
  const sentTo = lastRecipient(call)
  const why = sentTo?.stalled === true ? `; ${sentTo.describe?.()}` : ''
  return new CoveyError('DEADLINE_EXCEEDED', `${method.path}: its time was used up ${when}${why}`)
}

/** Whom the call was sent to last; of its attempts that have gone to somebody, the latest says it. */
function lastRecipient(call: Call): Recipient | undefined {
  let attempt: Call | undefined = call.latest ?? call
  while (attempt !== undefined && attempt.sentTo === undefined) attempt = attempt.previous
  return attempt?.sentTo
}
