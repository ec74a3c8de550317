import { asCancelled } from '../../error/as-cancelled.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** Why a source is left or a reader gets no more when the call has its answer. */
export function callIsOver(): CoveyError {
  return new CoveyError('CANCELLED', 'the call is over')
}

/** Ends a call whose source of inputs failed: the server is told no more than that, the caller gets the cause. */
export function sourceError(error: unknown): CoveyError {
  return asCancelled(error, 'the source of the inputs failed')
}
