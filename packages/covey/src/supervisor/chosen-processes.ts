import { CoveyError } from '../error/covey-error.ts'
import { unknownName } from './field-reader.ts'
import type { Fleet, FleetProcess } from './fleet.ts'

/**
 * The processes of a fleet that are named in `only`, or all when it is undefined.
 * @throws CoveyError `INVALID_SETTINGS` when it names one that does not exist, or none at all
 */
export function chosenProcesses(
  { processes }: Fleet,
  only: readonly string[] | undefined,
): readonly FleetProcess[] {
  const all = Object.values(processes)
  if (only === undefined) return all
  const names = all.map(({ name }) => name)
  const unknown = only.filter((name) => !names.includes(name))
  const problems = unknown.map((name) => unknownName('process', name, names))
  if (only.length === 0) problems.push('names no process')
  if (problems.length > 0)
    throw new CoveyError('INVALID_SETTINGS', `--only: ${problems.join('; ')}`)
  return all.filter(({ name }) => only.includes(name))
}
