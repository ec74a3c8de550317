import type { MethodRef } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Dispatcher } from './transport.ts'

/** The answer to notify and submit of a server that has no `accept`. */
export function acceptsNothing({ instance }: Dispatcher): CoveyError {
  return new CoveyError('UNIMPLEMENTED', `instance ${instance} takes no notify and no submit`)
}

/** The answer to notify and submit of a method that has streams. */
export function hasStreams({ path }: MethodRef): CoveyError {
  const message = `${path}: notify and submit are for methods with one input and one output`
  return new CoveyError('UNIMPLEMENTED', message)
}
