import type { Call } from '../call/call.ts'
import type { Middleware } from '../call/handler.ts'
import { givesStream } from '../call/method-ref.ts'
import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import { attemptsOf, retryAfterMs } from '../error/retry-hints.ts'
import type { Log } from '../observe/log.ts'
import { reportFailure } from '../observe/report-failure.ts'

/**
 * What leaves a server is an error that its caller may see. Anything else that a handler throws is written
 * to the log under an id, and the caller gets `INTERNAL` with that id. What its listeners of a cancellation throw is written there
 * as well.
 */
export function failureReport(log: Log): Middleware {
  const onFault = (err: unknown, { method, trace }: Call) => {
    const fields = { err, method: method.path, traceId: trace.traceId }
    log.error(fields, `${method.path}: a listener of its cancellation failed`)
  }
  return (next) => async (call) => {
    call.onFault = onFault
    try {
      const result = await next(call)
      return givesStream(call.method.kind) ? reportEach(result, call, log) : result
    } catch (error) {
      throw report(error, call, log)
    }
  }
}

async function* reportEach(stream: unknown, call: Call, log: Log): AsyncGenerator<unknown> {
  try {
    yield* stream as AsyncIterable<unknown>
  } catch (error) {
    throw report(error, call, log)
  }
}

function report(thrown: unknown, call: Call, log: Log): CoveyError {
  if (endedBy(call.cancelled, thrown)) return call.cancelled
  if (thrown instanceof CoveyError) {
    if (thrown.code === 'INVALID_OUTPUT' && thrown.path === undefined) {
      log.error({ err: thrown, method: call.method.path }, thrown.message)
    }
    return fromElsewhere(thrown)
  }
  const { path } = call.method
  return reportFailure(thrown, path, log, { method: path, traceId: call.trace.traceId })
}

/** Whether a handler stopped because its call was cancelled; timers of Node wrap the reason into an error of their own. */
function endedBy(reason: CoveyError | undefined, thrown: unknown): reason is CoveyError {
  if (reason === undefined) return false
  return thrown === reason || (thrown instanceof Error && thrown.cause === reason)
}

/**
 * "Was not run" is true of the call that a handler made, but no longer of the handler's own call, so such an
 * error must not travel on as it is: it would invite a repetition of what was done.
 */
function fromElsewhere(error: CoveyError): CoveyError {
  if (error.path === undefined || codeEntry(error.code).retry !== 'always') return error
  const { path: method, code, message } = error
  const details: Record<string, unknown> = { method, code, details: error.details }
  // What it says about being repeated is true of this call as well.
  const attempts = attemptsOf(error)
  const afterMs = retryAfterMs(error)
  if (attempts !== undefined) details.attempts = attempts
  if (afterMs !== undefined) details.retryAfterMs = afterMs
  return new CoveyError('DEPENDENCY_UNAVAILABLE', message, { details, cause: error })
}
