import type { JsonSchema } from './describe-contract.ts'

// JSON Schema of what the framework's own contracts give, for `plain`.

/** Text. */
export const text: JsonSchema = Object.freeze({ type: 'string' })
/** A whole number from 0 on. */
export const count: JsonSchema = Object.freeze({ type: 'integer', minimum: 0 })
/** Milliseconds, or another number from 0 on. */
export const amount: JsonSchema = Object.freeze({ type: 'number', minimum: 0 })

/** One of some texts. */
export function oneOf(...values: readonly string[]): JsonSchema {
  return { enum: values }
}

/** A list. */
export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

/** Any number of names, all with a value of one type. */
export function recordOf(values: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: values }
}

/** An object; a name that ends in `?` may be missing. */
export function objectOf(fields: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const names = Object.keys(fields)
  const properties = Object.fromEntries(names.map((name) => [bare(name), fields[name]]))
  return { type: 'object', properties, required: names.filter((name) => bare(name) === name) }
}

function bare(name: string): string {
  return name.replace(/\?$/, '')
}
