import type { MethodRef } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'

/**
 * Notes which call an error came from. Its stack is that of the caller: where a connection read the error says nothing to
 * anybody, and in an async function the engine knows who waits.
 */
export function fromCall(thrown: unknown, method: MethodRef): CoveyError {
  const known = CoveyError.from(thrown)
  const error = known.path === undefined ? known : again(known)
  error.path = method.path
  Error.captureStackTrace?.(error, fromCall)
  return error
}

/** An error that another call has brought is that caller's: all calls of a connection share the reason of its loss. */
function again(error: CoveyError): CoveyError {
  const { code, message, details } = error
  return new CoveyError(code, message, { details, cause: error })
}
