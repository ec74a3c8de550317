import { CoveyError } from '../error/covey-error.ts'

/** A registry was used after its end. */
export function closedError(): CoveyError {
  return new CoveyError('FAILED_PRECONDITION', 'the registry is closed')
}

/** An id has a lease already. */
export function takenError(id: string): CoveyError {
  return new CoveyError('ALREADY_EXISTS', `instance ${id} is registered already`)
}

/** A lease was used after its end. */
export function releasedError(id: string): CoveyError {
  return new CoveyError('FAILED_PRECONDITION', `the lease of instance ${id} was released`)
}
