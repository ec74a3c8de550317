import { CoveyError } from '../error/covey-error.ts'
import type { Log, LogFields } from './log.ts'

/**
 * Writes an error of this side's own code to the log, under an id.
 * @param what has failed
 * @param fields of the line, beside the error and its id
 * @returns what may be said of it to a stranger: `INTERNAL` with the id
 */
export function reportFailure(
  thrown: unknown,
  what: string,
  log: Log | undefined,
  fields: LogFields = {},
): CoveyError {
  const errorId = crypto.randomUUID()
  log?.error({ err: thrown, errorId, ...fields }, `${what} failed`)
  return new CoveyError('INTERNAL', `${what} failed; error id ${errorId}`, {
    details: { errorId },
    cause: thrown,
  })
}
