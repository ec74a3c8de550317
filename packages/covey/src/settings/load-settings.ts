import { type CheckedSetting, checkSetting, type GivenValue } from './check-setting.ts'
import {
  type Setting,
  type SettingsDefinition,
  type SettingsInput,
  type SettingsOf,
  variablePrefix,
} from './define-settings.ts'
import { findUnknownKeys, findUnknownSections, findUnknownVariables } from './find-unknown.ts'
import { frozenCopy, valueAt } from './plain-data.ts'
import { readSettingsFile, type SettingsLayer } from './read-settings-file.ts'
import { notSet, type SettingsProblem, settingsError } from './settings-problem.ts'

/** Where settings come from. */
export interface LoadSettingsOptions<D extends readonly SettingsDefinition[]> {
  /**
   * YAML files; a later one wins over an earlier one, and each has to exist. Default: `config.yaml`, which may be absent.
   * The variable `COVEY_CONFIG`, when it is set, names one file that is read instead.
   */
  readonly files?: readonly string[]
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where names of files begin. Default: the current directory. */
  readonly cwd?: string
  /** Settings given in code, which win over all else. */
  readonly overrides?: { readonly [X in D[number] as X['section']]?: SettingsInput<X> }
  /** Sections of the files that belong to other programs and are left alone; `'any'` for tools. Default none. */
  readonly knownSections?: readonly string[] | 'any'
}

/** Settings by the name of their section. */
export type LoadedSettings<D extends readonly SettingsDefinition[]> = {
  readonly [X in D[number] as X['section']]: SettingsOf<X>
}

/**
 * Reads the settings of some sections and checks them. The later of these wins, setting by setting: the default of the
 * schema, the files, the environment, `overrides`.
 *
 * @returns a frozen object for each section
 * @throws CoveyError `INVALID_SETTINGS` that lists every problem; `details.problems` has them as data
 * @throws TypeError if two definitions have the same section
 * @example
 * const { user } = await loadSettings([userSettings])
 * console.log(user.session.ttlDays)
 */
export async function loadSettings<const D extends readonly SettingsDefinition[]>(
  definitions: D,
  options: LoadSettingsOptions<D> = {},
): Promise<LoadedSettings<D>> {
  const { env = process.env, cwd = process.cwd(), overrides = {}, knownSections = [] } = options
  const sections = definitions.map(({ section }) => section)
  requireDifferent(sections)
  const files = await readFiles(options.files, env, cwd)
  const code: SettingsLayer = { data: overrides, sourceOf: () => 'overrides' }
  const strongestFirst = [
    inLayer(code),
    inEnvironment(env),
    ...files.layers.toReversed().map(inLayer),
  ]
  const problems = [...files.problems]
  for (const layer of [...files.layers, code]) {
    if (knownSections !== 'any') {
      problems.push(...findUnknownSections(layer, [...sections, ...knownSections]))
    }
    problems.push(...definitions.flatMap((definition) => findUnknownKeys(layer, definition)))
  }
  const loaded: Record<string, unknown> = {}
  for (const definition of definitions) {
    problems.push(...findUnknownVariables(env, definition))
    const checked = await checkSection(definition, strongestFirst)
    // What is not set may stand in the file that could not be read.
    const certain = files.problems.length === 0 ? () => true : isSet
    problems.push(...checked.problems.filter(certain))
    loaded[definition.section] = checked.value
  }
  if (problems.length > 0) throw settingsError(problems)
  return frozenCopy(loaded) as LoadedSettings<D>
}

async function readFiles(
  files: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<{ layers: SettingsLayer[]; problems: SettingsProblem[] }> {
  const asked = env.COVEY_CONFIG ? [env.COVEY_CONFIG] : files
  const read = await Promise.all(
    (asked ?? ['config.yaml']).map((name) => readSettingsFile(name, cwd, asked !== undefined)),
  )
  return {
    layers: read.flatMap(({ layer }) => layer ?? []),
    problems: read.flatMap(({ problems }) => problems),
  }
}

/** Looks for the value of a setting in one place. */
type Source = (setting: Setting) => GivenValue | undefined

function inLayer(layer: SettingsLayer): Source {
  return ({ path }) => {
    const value = valueAt(layer.data, path)
    if (value === undefined) return undefined
    return { value, fromEnvironment: false, sourceOf: (path) => layer.sourceOf(path) }
  }
}

function inEnvironment(env: Readonly<Record<string, string | undefined>>): Source {
  return ({ variable }) => {
    const value = Object.hasOwn(env, variable) ? env[variable] : undefined
    if (value === undefined) return undefined
    return { value, fromEnvironment: true, sourceOf: () => variable }
  }
}

async function checkSection(
  { section, settings }: SettingsDefinition,
  strongestFirst: readonly Source[],
): Promise<CheckedSetting> {
  const tree = {}
  const problems: SettingsProblem[] = []
  for (const setting of settings) {
    const given = firstOf(strongestFirst, setting)
    const checked = await checkSetting(setting, given)
    problems.push(...checked.problems)
    place({ [section]: tree }, setting.path, checked.value)
  }
  return { value: tree, problems }
}

function firstOf(sources: readonly Source[], setting: Setting): GivenValue | undefined {
  for (const source of sources) {
    const given = source(setting)
    if (given !== undefined) return given
  }
  return undefined
}

function isSet({ source }: SettingsProblem): boolean {
  return source !== notSet
}

/** Puts a value into groups that are made on the way. */
function place(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let group = tree
  for (const key of path.slice(0, -1)) {
    group[key] ??= {}
    group = group[key] as Record<string, unknown>
  }
  group[path.at(-1)!] = value
}

function requireDifferent(sections: readonly string[]): void {
  const prefixes = sections.map(variablePrefix)
  const repeated = sections.find((_, index) => prefixes.indexOf(prefixes[index]!) !== index)
  if (repeated !== undefined) throw new TypeError(`section ${repeated} is defined twice`)
}
