import { closestName } from '../base/closest-name.ts'
import {
  isSchema,
  type SettingsDefinition,
  type SettingsTree,
  variablePrefix,
} from './define-settings.ts'
import { isPlainObject } from './plain-data.ts'
import type { SettingsLayer } from './read-settings-file.ts'
import type { SettingsProblem } from './settings-problem.ts'

/** A file that is no settings file at all must not fill the screen. */
const mostReported = 50

/** Sections of a layer that nobody knows. */
export function findUnknownSections(
  layer: SettingsLayer,
  known: readonly string[],
): SettingsProblem[] {
  const unknown = Object.keys(layer.data).filter((section) => !known.includes(section))
  return unknown.slice(0, mostReported).map((section) => ({
    path: section,
    source: layer.sourceOf([section]),
    message: `unknown section${hint(closestName(section, known))}`,
  }))
}

/** Keys of a layer that its section does not have, and values that stand where a group has to be. */
export function findUnknownKeys(
  layer: SettingsLayer,
  definition: SettingsDefinition,
): SettingsProblem[] {
  const { section, tree } = definition
  if (!Object.hasOwn(layer.data, section)) return []
  const unknown = unknownIn(layer.data[section], tree, [section]).take(mostReported)
  return [...unknown].map(({ path, message }) => ({
    path: path.join('.'),
    source: layer.sourceOf(path),
    message: message ?? `unknown setting${hint(suggestion(path, definition))}`,
  }))
}

/** Variables that begin as those of a section do and belong to none of its settings. */
export function findUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  { section, settings }: SettingsDefinition,
): SettingsProblem[] {
  const known = settings.map(({ variable }) => variable)
  const unknown = Object.keys(env).filter(
    (name) =>
      name.startsWith(variablePrefix(section)) && env[name] !== undefined && !known.includes(name),
  )
  return unknown.map((name) => ({
    path: '',
    source: name,
    message: `unknown variable${hint(closestName(name, known))}`,
  }))
}

interface Unknown {
  readonly path: readonly string[]
  readonly message?: string
}

function* unknownIn(
  value: unknown,
  tree: SettingsTree,
  path: readonly string[],
): Generator<Unknown> {
  if (value === null || value === undefined) return
  if (!isPlainObject(value)) {
    yield { path, message: `is a group, not a value; it has: ${Object.keys(tree).join(', ')}` }
    return
  }
  for (const [key, child] of Object.entries(value)) {
    const place = [...path, key]
    const node = Object.hasOwn(tree, key) ? tree[key] : undefined
    if (node === undefined) yield { path: place }
    else if (!isSchema(node)) yield* unknownIn(child, node, place)
  }
}

/** A key with nearly this name in the same group, or one with just this name elsewhere in the section. */
function suggestion(path: readonly string[], definition: SettingsDefinition): string | undefined {
  const key = path.at(-1)!
  const group = path.slice(0, -1)
  const beside = definition.settings
    .map((setting) => setting.path)
    .filter((place) => group.every((part, index) => place[index] === part))
    .map((place) => place[group.length]!)
  const spelled = closestName(key.replaceAll(/[_-]/g, ''), new Set(beside))
  if (spelled !== undefined) return [...group, spelled].join('.')
  return definition.settings.find((setting) => setting.path.at(-1) === key)?.name
}

function hint(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean ${name}?`
}
