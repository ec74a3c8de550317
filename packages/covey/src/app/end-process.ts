import { CoveyError } from '../error/covey-error.ts'

/** What will not heal by itself: another try brings the same. */
const lasting = new Set(['INVALID_SETTINGS', 'ADDRESS_IN_USE'])

/** EX_CONFIG of sysexits.h: the supervisor does not try again at the first start. */
const exitConfig = 78

/**
 * Ends a process whose application could not start, with a line that says why. The stack is shown for errors that
 * nobody foresaw, and for all with `COVEY_DEBUG=1`.
 */
export function endProcess(app: string, thrown: unknown): never {
  const known = thrown instanceof CoveyError
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  process.stderr.write(`${app} cannot start: ${message}\n`)
  const cause = known ? thrown.cause : thrown
  const foreseen = known && lasting.has(thrown.code)
  if (process.env.COVEY_DEBUG === '1' || (!foreseen && cause instanceof Error)) {
    process.stderr.write(`${(cause instanceof Error ? cause : (thrown as Error)).stack}\n`)
  }
  process.exit(foreseen ? exitConfig : 1)
}
