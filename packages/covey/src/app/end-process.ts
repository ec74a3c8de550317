import { CoveyError } from '../error/covey-error.ts'
import { startFailureText } from './start-failure-text.ts'

/** What will not heal by itself: another try brings the same. */
const lasting = new Set(['INVALID_SETTINGS', 'ADDRESS_IN_USE'])

/** EX_CONFIG of sysexits.h: the supervisor does not try again at the first start. */
const exitConfig = 78

/**
 * Ends a process whose application could not start, with a line that says why. The stack is shown for errors that
 * nobody foresaw, and for all with `COVEY_DEBUG=1`.
 */
export function endProcess(app: string, thrown: unknown): never {
  const foreseen = thrown instanceof CoveyError && lasting.has(thrown.code)
  const debug = process.env.COVEY_DEBUG === '1'
  process.stderr.write(startFailureText(app, thrown, { foreseen, debug }))
  process.exit(foreseen ? exitConfig : 1)
}
