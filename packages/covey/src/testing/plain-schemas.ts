import type { InputOf, Schema, SchemaIssue, SchemaResult } from '../base/schema.ts'
import { plain } from '../contract/plain.ts'

// Schemas for what is published to test with: it must not depend on a schema library.

/** Any value. */
export function anything<T = unknown>(): Schema<T> {
  return plain<T>()
}

/** A text. */
export function text(): Schema<string> {
  return checked((value) => typeof value === 'string', 'expected a text')
}

/** A number. */
export function number(): Schema<number> {
  return checked((value) => typeof value === 'number', 'expected a number')
}

/** One of some texts. */
export function choice<const T extends string>(...values: readonly T[]): Schema<T> {
  const known: readonly unknown[] = values
  return checked((value) => known.includes(value), `expected one of ${values.join(', ')}`)
}

/** An object with these fields; others are left out. */
export function shape<F extends Readonly<Record<string, Schema>>>(
  fields: F,
): Schema<{ [K in keyof F]: InputOf<F[K]> }> {
  return schema((value) => {
    if (typeof value !== 'object' || value === null) return fail('expected an object')
    const kept: Record<string, unknown> = {}
    const issues: SchemaIssue[] = []
    for (const [name, field] of Object.entries(fields)) {
      const result = field['~standard'].validate((value as Record<string, unknown>)[name])
      if (result instanceof Promise) throw new TypeError('a field that takes its time')
      for (const issue of result.issues ?? []) {
        issues.push({ ...issue, path: [name, ...(issue.path ?? [])] })
      }
      if (result.issues === undefined) kept[name] = result.value
    }
    return issues.length > 0 ? { issues } : { value: kept }
  }) as Schema<{ [K in keyof F]: InputOf<F[K]> }>
}

function checked<T>(fits: (value: unknown) => boolean, message: string): Schema<T> {
  return schema((value) => (fits(value) ? { value: value as T } : fail(message)))
}

function fail(message: string): { issues: readonly SchemaIssue[] } {
  return { issues: [{ message }] }
}

function schema<T>(validate: (value: unknown) => SchemaResult<T>): Schema<T> {
  return { '~standard': { version: 1, vendor: 'covey', validate } }
}
