import { codeEntry } from './codes.ts'
import { CoveyError } from './covey-error.ts'

/**
 * Why a call is given up, from what its caller said. A code that means "was not run" is true of something else then, and
 * must not be told of a call that is under way: it becomes the cause.
 */
export function asCancelled(reason: unknown, message = 'cancelled by the caller'): CoveyError {
  const fits = reason instanceof CoveyError && codeEntry(reason.code).retry !== 'always'
  if (fits) return reason
  return new CoveyError('CANCELLED', message, { cause: reason })
}
