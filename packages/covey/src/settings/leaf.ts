import type { Schema, SchemaResult } from '../base/schema.ts'
import { isPlainObject } from './plain-data.ts'

/** The schema of one setting of the framework itself, which depends on no schema library. */
export interface Leaf<T> extends Schema<T, T> {
  /** The same setting with a value for when it is not set. */
  default(value: T): Schema<T | undefined, T>
  /** The same setting, which may be left out. */
  optional(): Schema<T | undefined, T | undefined>
}

/** Any text but the empty one. */
export function text(): Leaf<string> {
  return leaf('a text that is not empty', (value) => typeof value === 'string' && value !== '')
}

/** A whole number between two bounds, both allowed. */
export function integer({ min, max }: { min: number; max: number }): Leaf<number> {
  return leaf(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  )
}

/** One of some words. */
export function oneOf<const Word extends string>(words: readonly Word[]): Leaf<Word> {
  return leaf(`one of ${words.join(', ')}`, (value) => words.includes(value as Word))
}

/** A list of texts, none of them empty. */
export function texts(): Leaf<readonly string[]> {
  return leaf(
    'a list of texts',
    (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== ''),
  )
}

/** Yes or no. */
export function flag(): Leaf<boolean> {
  return leaf('true or false', (value) => typeof value === 'boolean')
}

/** A list of objects with fields of text; those that are not named here are refused. */
export function records<Required extends string, Optional extends string>(
  required: readonly Required[],
  optional: readonly Optional[],
): Leaf<readonly (Record<Required, string> & Partial<Record<Optional, string>>)[]> {
  const fields: readonly string[] = [...required, ...optional]
  const fits = (value: unknown) =>
    isPlainObject(value) &&
    required.every((field) => value[field] !== undefined) &&
    Object.entries(value).every(([key, item]) => fields.includes(key) && typeof item === 'string')
  const expected = `a list of { ${required.join(', ')}${optional.map((field) => `, ${field}?`).join('')} }`
  return leaf(expected, (value) => Array.isArray(value) && value.every(fits))
}

function leaf<T>(expected: string, accepts: (value: unknown) => boolean): Leaf<T> {
  const validate = (value: unknown): SchemaResult<T> =>
    accepts(value) ? { value: value as T } : { issues: [{ message: `expected ${expected}` }] }
  return {
    ...schema(validate),
    default: (fallback) =>
      schema((value) => (value === undefined ? { value: fallback } : validate(value))),
    optional: () =>
      schema<T | undefined, T | undefined>((value) =>
        value === undefined ? { value } : validate(value),
      ),
  }
}

function schema<Input, Output>(
  validate: (value: unknown) => SchemaResult<Output>,
): Schema<Input, Output> {
  return { '~standard': { version: 1, vendor: 'covey', validate } }
}
