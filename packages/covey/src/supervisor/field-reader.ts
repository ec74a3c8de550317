import { closestName } from '../base/closest-name.ts'

/** One thing wrong in a config. */
export interface FleetProblem {
  /** Where: `processes.user.replicas`. */
  readonly path: string
  /** What, and what is expected instead. */
  readonly message: string
}

/** What the value of a field must be. */
export interface Rule<T> {
  /** Completes "expected …". */
  readonly expected: string
  readonly fits: (value: unknown) => value is T
}

/** Reads the fields of one object of a config and notes what is wrong with them. */
export class FieldReader {
  readonly path: string
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #problems: FleetProblem[]

  /** Notes a problem when `value` is no object or has a key that is not `known`. */
  constructor(value: unknown, path: string, known: readonly string[], problems: FleetProblem[]) {
    this.path = path
    this.#problems = problems
    this.#fields = isObject(value) ? value : {}
    if (!isObject(value)) this.report('', `expected an object, got ${show(value)}`)
    for (const key of Object.keys(this.#fields)) {
      if (!known.includes(key)) this.report(key, unknownName('key', key, known))
    }
  }

  /** The value of a field, or `fallback` when it is absent or wrong. */
  read<T>(key: string, rule: Rule<T>, fallback: T): T {
    const value = this.#fields[key]
    if (value === undefined) return fallback
    if (rule.fits(value)) return value
    this.report(key, `expected ${rule.expected}, got ${show(value)}`)
    return fallback
  }

  /** Like `read`, but notes a problem when the field is absent. */
  require<T>(key: string, rule: Rule<T>, fallback: T): T {
    if (this.#fields[key] === undefined) this.report(key, `missing, expected ${rule.expected}`)
    return this.read(key, rule, fallback)
  }

  report(key: string, message: string): void {
    const path = [this.path, key].filter((part) => part !== '').join('.')
    this.#problems.push({ path: path || 'defineFleet', message })
  }
}

/** `unknown key "replica", did you mean "replicas"?` */
export function unknownName(what: string, typed: string, names: readonly string[]): string {
  const close = closestName(typed, names)
  const hint = close === undefined ? `known are ${names.join(', ')}` : `did you mean "${close}"?`
  return `unknown ${what} "${typed}", ${hint}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const objectRule: Rule<Readonly<Record<string, unknown>>> = {
  expected: 'an object',
  fits: isObject,
}

export const textRule: Rule<string> = {
  expected: 'a text that is not empty',
  fits: (value): value is string =>
    typeof value === 'string' && value.trim() !== '' && !value.includes('\0'),
}

export const nameRule: Rule<string> = {
  expected: 'lower case words with dashes, like "user" or "push-worker", 32 characters at most',
  fits: (value): value is string =>
    typeof value === 'string' &&
    value.length <= 32 &&
    /^[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*$/.test(value),
}

export const urlRule: Rule<string> = {
  expected: 'a URL like "http://127.0.0.1:8090"',
  fits: (value): value is string => typeof value === 'string' && URL.canParse(value),
}

export const textsRule: Rule<readonly string[]> = {
  expected: 'a list of texts',
  fits: (value): value is readonly string[] =>
    Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes('\0')),
}

export const textMapRule: Rule<Readonly<Record<string, string>>> = {
  expected: 'an object whose values are texts',
  fits: (value): value is Readonly<Record<string, string>> =>
    isObject(value) && textsRule.fits(Object.values(value)),
}

export const listRule: Rule<readonly unknown[]> = {
  expected: 'a list',
  fits: (value): value is readonly unknown[] => Array.isArray(value),
}

/** A whole number between two bounds, both allowed. */
export function wholeNumber(min: number, max: number): Rule<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    fits: (value): value is number => Number.isInteger(value) && min <= +value! && +value! <= max,
  }
}

/** One of a few words. */
export function oneOf<const T extends string>(...words: T[]): Rule<T> {
  return {
    expected: words.map((word) => `"${word}"`).join(' or '),
    fits: (value): value is T => words.some((word) => word === value),
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
