import { durationText } from '../base/duration-text.ts'
import type { FailedStart } from './start-output.ts'

/** Lines of the words of a process that go into the reason why the fleet does not start. */
const shownWords = 20

/** A process that ended and is started again. */
export interface Restart {
  /** `exited with code 1` */
  readonly end: string
  readonly restartMs: number
  /** Undefined when it had been ready. */
  readonly start: FailedStart | undefined
  /** The fleet waits for it: it was never ready since the fleet was started. */
  readonly first: boolean
}

/**
 * The line that tells of a restart. The first of a series leaves the reason to the lines of the process just above it; those that follow
 * say it themselves, for then these are left out.
 */
export function restartText(name: string, { end, restartMs, start, first }: Restart): string {
  const delay = durationText(restartMs)
  if (start?.repeated) {
    const why = start.reason === undefined ? ' again' : `, same reason: ${start.reason}`
    return `${name} ${end}${why}; attempt ${start.attempt}, next try in ${delay}`
  }
  const advice = first ? '; the fleet waits until it is ready, Ctrl-C stops everything' : ''
  return `${name} ${end} and is started again in ${delay}${advice}`
}

/** Why a fleet does not start: the words of the process that cannot, or `silent` when it has none. */
export function whyNotStarted(name: string, words: readonly string[], silent: string): string {
  const [first = silent, ...rest] = words
  const left = rest.length - shownWords
  const shown = left > 0 ? [`… ${left} more lines`, ...rest.slice(left)] : rest
  const indented = shown.map((text) => (/^\s/.test(text) ? text : `  ${text}`))
  return [`${name} cannot start: ${first}`, ...indented].join('\n')
}
