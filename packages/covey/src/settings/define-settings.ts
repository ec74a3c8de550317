import type { InputOf, OutputOf, Schema } from '../base/schema.ts'
import { isPlainObject } from './plain-data.ts'

/** Settings in groups; what is not a group is the schema of one setting. */
export interface SettingsTree {
  readonly [key: string]: Schema | SettingsTree
}

/** One setting: a place in the tree and the schema of its value. */
export interface Setting {
  /** Its place, section first: `['user', 'session', 'ttlDays']`. */
  readonly path: readonly string[]
  /** The same as people write it: `user.session.ttlDays`. */
  readonly name: string
  /** Its environment variable: `USER__SESSION__TTL_DAYS`. */
  readonly variable: string
  /** Whether its name says that its value must not be shown. */
  readonly secret: boolean
  readonly schema: Schema
}

/** A section of the settings: what one part of a program can be told. */
export interface SettingsDefinition<
  Section extends string = string,
  Tree extends SettingsTree = SettingsTree,
> {
  readonly section: Section
  readonly tree: Tree
  /** All settings of the section, in the order of the tree. */
  readonly settings: readonly Setting[]
}

/** The settings of a section as a program gets them: checked, completed with defaults, read-only. */
export type SettingsOf<D extends SettingsDefinition> = ValuesOf<D['tree']>

/** Some settings of a section, as they are written: what code can set explicitly. */
export type SettingsInput<D extends SettingsDefinition> = InputsOf<D['tree']>

type ValuesOf<T extends SettingsTree> = {
  readonly [K in keyof T]: T[K] extends Schema
    ? Frozen<OutputOf<T[K]>>
    : T[K] extends SettingsTree
      ? ValuesOf<T[K]>
      : never
}

/** What {@link frozenCopy} makes of a value: plain objects and lists become read-only in any depth. */
type Frozen<T> = unknown extends T
  ? T
  : T extends Opaque
    ? T
    : { readonly [K in keyof T]: Frozen<T[K]> }

type Primitive = string | number | bigint | boolean | symbol | null | undefined
type Opaque = Primitive | Date | RegExp | URL | Uint8Array | ((...parts: never[]) => unknown)

type InputsOf<T extends SettingsTree> = {
  readonly [K in keyof T]?: T[K] extends Schema
    ? InputOf<T[K]> | undefined
    : T[K] extends SettingsTree
      ? InputsOf<T[K]>
      : never
}

const namePattern = /^[a-z][A-Za-z0-9]*$/
const secretPattern = /pass(word|wd|phrase|code)|secret|token|key|credential/i

/**
 * Declares a section of the settings. Its values come from `config.yaml`, where `section` is a key at the top, and
 * from the environment, where `user.session.ttlDays` is `USER__SESSION__TTL_DAYS`.
 *
 * @param section camelCase, as are all keys
 * @param tree plain objects in any depth; leaves are schemas of any library that speaks Standard Schema (zod, …)
 * @throws TypeError if a name does not fit its form or two settings have the same environment variable
 * @example
 * const settings = defineSettings('user', {
 *   database: z.string().default('data/user.db'),
 *   session: { ttlDays: z.number().int().positive().default(30) },
 * })
 */
export function defineSettings<const Section extends string, Tree extends SettingsTree>(
  section: Section,
  tree: Tree,
): SettingsDefinition<Section, Tree> {
  requireName(section, [section])
  const settings = [...settingsIn(tree, [section])]
  const owners = new Map<string, string>()
  for (const { name, variable } of settings) {
    const owner = owners.get(variable)
    if (owner !== undefined) {
      throw new TypeError(`settings ${owner} and ${name} are the same variable, ${variable}`)
    }
    owners.set(variable, name)
  }
  return Object.freeze({ section, tree, settings: Object.freeze(settings) })
}

/** The variables of a section all begin with this: `USER__`. */
export function variablePrefix(section: string): string {
  return `${upperSnake(section)}__`
}

/** Whether this is the schema of one setting and not a group of them. */
export function isSchema(node: Schema | SettingsTree): node is Schema {
  return node !== null && node !== undefined && node['~standard'] !== undefined
}

function* settingsIn(tree: SettingsTree, path: readonly string[]): Generator<Setting> {
  for (const [key, node] of Object.entries(tree)) {
    const place = [...path, key]
    requireName(key, place)
    if (isSchema(node)) yield toSetting(place, node)
    else if (isPlainObject(node) && Object.keys(node).length > 0) yield* settingsIn(node, place)
    else throw new TypeError(`setting ${place.join('.')}: neither a schema nor a group of settings`)
  }
}

function toSetting(path: readonly string[], schema: Schema): Setting {
  const name = path.join('.')
  const variable = path.map(upperSnake).join('__')
  return Object.freeze({ path, name, variable, secret: secretPattern.test(name), schema })
}

function requireName(key: string, path: readonly string[]): void {
  if (!namePattern.test(key) || key in Object.prototype) {
    throw new TypeError(`setting ${JSON.stringify(path.join('.'))}: use camelCase, like "ttlDays"`)
  }
}

/** `ttlDays` → `TTL_DAYS`, `maxURLLength` → `MAX_URL_LENGTH`. */
function upperSnake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase()
}
