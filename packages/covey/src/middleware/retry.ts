import { holdProcess } from '../base/hold-process.ts'
import { sleep } from '../base/sleep.ts'
import type { Call } from '../call/call.ts'
import type { Handler, Middleware } from '../call/handler.ts'
import { givesStream } from '../call/method-ref.ts'
import { Attempts, type RetryOptions, sendAttempt } from './attempts.ts'
import { reopening } from './reopening.ts'

/**
 * Sends calls again that failed in a way that another attempt may not: elsewhere and at once where the call was not run, behind a
 * random pause where it may have run and is idempotent; as often as {@link Attempts} allow. A stream of results is opened again
 * only before its first element, and a call with a stream of inputs is sent again only before its source was asked.
 */
export function retry(options: RetryOptions): Middleware {
  const { policy, budget } = options
  return (next) => (call) => {
    // The attempts of a hedged call are one call.
    if (call.previous === undefined) budget.count()
    const max = call.repetition?.maxAttempts ?? policy.attempts
    if (max <= 1) return next(call)
    if (givesStream(call.method.kind)) return openStream(call, max, next, options)
    // One promise and one function: 30 ns for a call that succeeds, where an async function takes 50.
    return next(call).then(undefined, (error) => {
      return sendAgain(call, new Attempts(call, max, options, call), next, error)
    })
  }
}

function openStream(
  call: Call,
  max: number,
  next: Handler,
  options: RetryOptions,
): Promise<AsyncIterable<unknown>> {
  let attempts: Attempts | undefined
  const again = (error: unknown) => {
    attempts ??= new Attempts(call, max, options, call)
    return sendAgain(call, attempts, next, error)
  }
  return next(call)
    .then(undefined, again)
    .then((stream) => reopening(stream, again))
}

/** Makes attempts until one does not fail. @throws what the caller is told when there is to be none */
async function sendAgain(
  call: Call,
  attempts: Attempts,
  next: Handler,
  error: unknown,
): Promise<unknown> {
  let thrown = error
  for (;;) {
    const { waitMs, number } = attempts.afterFailure(attempts.last, thrown)
    await pause(waitMs, call)
    try {
      return await sendAttempt(call, attempts.next(number), next)
    } catch (failure) {
      thrown = failure
    }
  }
}

/** @throws the reason for which the call was cancelled meanwhile */
async function pause(ms: number, call: Call): Promise<void> {
  if (ms <= 0) return
  const release = holdProcess()
  try {
    await sleep(ms, call.signal, call.clock)
  } finally {
    release()
  }
}
