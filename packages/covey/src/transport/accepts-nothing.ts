import { CoveyError } from '../error/covey-error.ts'
import type { Dispatcher } from './transport.ts'

/** The answer to notify and submit of a server that has no `accept`. */
export function acceptsNothing({ instance }: Dispatcher): CoveyError {
  return new CoveyError('UNIMPLEMENTED', `instance ${instance} takes no notify and no submit`)
}
