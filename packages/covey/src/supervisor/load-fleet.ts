import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CoveyError } from '../error/covey-error.ts'
import { defineFleet, fleetError } from './define-fleet.ts'
import type { FleetProblem } from './field-reader.ts'
import type { Fleet, FleetOptions } from './fleet.ts'

/** The names a config may have, in the order in which they are looked for. */
export const configNames = [
  'covey.config.ts',
  'covey.config.mts',
  'covey.config.js',
  'covey.config.mjs',
]

/** A fleet and where it was found. */
export interface LoadedFleet {
  readonly fleet: Fleet
  /** Absolute path of the config file. */
  readonly file: string
  /** Its folder: scripts are relative to it, `.covey` lies in it. */
  readonly folder: string
}

/**
 * The config file at `path` (absolute or relative to `folder`), or without `path` the nearest one in `folder` or above.
 * @throws CoveyError `INVALID_SETTINGS` when there is none
 */
export async function findConfig(folder: string, path?: string): Promise<string> {
  if (path !== undefined) {
    const file = resolve(folder, path)
    if (await isFile(file)) return file
    throw new CoveyError('INVALID_SETTINGS', `there is no config file ${file}`)
  }
  for (let at = resolve(folder); ; at = dirname(at)) {
    for (const name of configNames) if (await isFile(join(at, name))) return join(at, name)
    if (at === dirname(at)) break
  }
  throw new CoveyError(
    'INVALID_SETTINGS',
    `no covey.config.ts in ${resolve(folder)} or above; go to the project's folder or say --config <path>`,
  )
}

/**
 * Loads and checks a config file, the scripts it names included.
 * @throws CoveyError `INVALID_SETTINGS`, with all problems at once
 */
export async function loadFleet(file: string): Promise<LoadedFleet> {
  const folder = dirname(file)
  const problems: FleetProblem[] = []
  let fleet: Fleet | undefined
  let entries: Readonly<Record<string, string>>
  try {
    fleet = defineFleet(await importDefault(file))
    entries = Object.fromEntries(Object.values(fleet.processes).map((p) => [p.name, p.entry]))
  } catch (error) {
    const found = problemsOf(error)
    if (found === undefined) throw cannotLoad(file, error)
    problems.push(...found.problems)
    entries = found.entries
  }
  for (const [name, entry] of Object.entries(entries)) {
    const script = resolve(folder, entry)
    if (entry === '' || (await isFile(script))) continue
    problems.push({ path: `processes.${name}.entry`, message: `there is no file ${script}` })
  }
  if (fleet === undefined || problems.length > 0) throw fleetError(`${file} is wrong`, problems)
  return { fleet, file, folder }
}

async function importDefault(file: string): Promise<FleetOptions> {
  const module: { default?: FleetOptions } = await import(pathToFileURL(file).href)
  if (module.default !== undefined) return module.default
  const message = `${basename(file)} exports no fleet; write: export default defineFleet({ … })`
  throw new CoveyError('INVALID_SETTINGS', message)
}

/**
 * What `defineFleet` found wrong. By form and not by class: a config may have loaded another copy of
 * this package than the one that the command line runs.
 */
function problemsOf(
  error: unknown,
): { problems: FleetProblem[]; entries: Record<string, string> } | undefined {
  if (typeof error !== 'object' || error === null || !('details' in error)) return undefined
  const details = error.details as { problems?: unknown; entries?: unknown } | undefined
  if (!Array.isArray(details?.problems) || typeof details.entries !== 'object') return undefined
  return details as { problems: FleetProblem[]; entries: Record<string, string> }
}

function cannotLoad(file: string, error: unknown): CoveyError {
  if (error instanceof CoveyError) return error
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const message = `${file} cannot be loaded: ${reason}`
  return new CoveyError('INVALID_SETTINGS', message, { cause: error })
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
