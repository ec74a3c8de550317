import { CoveyError } from '../error/covey-error.ts'
import { checkFleet } from './check-fleet.ts'
import type { FleetProblem } from './field-reader.ts'
import type { Fleet, FleetOptions } from './fleet.ts'

/**
 * Declares which processes make up a fleet. The default export of `covey.config.ts`.
 *
 * @throws CoveyError `INVALID_SETTINGS`, naming every wrong field at once
 * @example
 * export default defineFleet({
 *   name: 'chat',
 *   processes: {
 *     user: { entry: 'user/main.ts' },
 *     gateway: { entry: 'gateway/main.ts', after: ['user'], url: 'http://127.0.0.1:8090' },
 *   },
 * })
 */
export function defineFleet(options: FleetOptions): Fleet {
  const { fleet, problems } = checkFleet(options)
  if (problems.length > 0) throw fleetError('the fleet is wrong', problems, fleet)
  return fleet
}

/** The error that lists problems; `details.entries` are the scripts that were named, by process. */
export function fleetError(title: string, problems: FleetProblem[], fleet?: Fleet): CoveyError {
  const lines = problems.map(({ path, message }) => `\n  ${path}: ${message}`)
  const entries = Object.entries(fleet?.processes ?? {}).map(([name, { entry }]) => [name, entry])
  return new CoveyError('INVALID_SETTINGS', `${title}:${lines.join('')}`, {
    details: { problems, entries: Object.fromEntries(entries) },
  })
}
