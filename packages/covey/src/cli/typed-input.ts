import type { JsonSchema } from '../contract/describe-contract.ts'
import { CoveyError } from '../error/covey-error.ts'

/** References within a description may lead in a circle. */
const maxSteps = 500

/**
 * Input that was typed as JSON, with what JSON has no form for made of the usual one where the method takes it: dates of ISO 8601 text, bytes
 * of base64, big integers of digits, sets of lists, maps of lists of `[key, value]`. What is inside of sets and maps stays as it is.
 * @param schema as `describe` knows it; `null` for nothing
 * @throws CoveyError `INVALID_INPUT` naming what is none
 */
export function typedInput(value: unknown, schema: JsonSchema | null): unknown {
  return schema === null ? value : typed(value, schema, { root: schema, path: '', steps: 0 })
}

interface Place {
  readonly root: JsonSchema
  /** Where the value stands: `rooms.0.since`. */
  readonly path: string
  readonly steps: number
}

function typed(value: unknown, schema: JsonSchema, place: Place): unknown {
  const { root, path, steps } = place
  if (value === null || value === undefined || steps > maxSteps) return value
  const next = { ...place, steps: steps + 1 }
  if (typeof schema.$ref === 'string') return typed(value, referred(schema.$ref, root), next)
  const alternatives = schema.anyOf ?? schema.oneOf
  if (Array.isArray(alternatives)) {
    // Of several nobody knows which one is meant.
    const [only, ...others] = alternatives.filter(({ type }) => type !== 'null')
    return others.length > 0 || only === undefined ? value : typed(value, only, next)
  }
  const inner = (key: string | number, item: unknown, type: unknown) =>
    typed(item, recordOf(type), { ...next, path: path === '' ? `${key}` : `${path}.${key}` })
  if (Array.isArray(value)) {
    if (schema.type === 'array') return value.map((item, at) => inner(at, item, itemOf(schema, at)))
  } else if (typeof value === 'object') {
    if (schema.type !== 'object') return value
    const properties = recordOf(schema.properties)
    const entries = Object.entries(value).map(([key, item]) => {
      const known = Object.hasOwn(properties, key) ? properties[key] : schema.additionalProperties
      return [key, inner(key, item, known)]
    })
    return Object.fromEntries(entries)
  }
  const make = schema.type === undefined ? makers[String(schema.format)] : undefined
  if (make === undefined) return value
  const made = make(value)
  if (made !== undefined) return made
  const where = path === '' ? 'the input' : `the input: ${path}`
  const wanted = forms[String(schema.format)]
  throw new CoveyError('INVALID_INPUT', `${where}: a ${schema.format} is typed as ${wanted}`)
}

function itemOf({ items, prefixItems }: JsonSchema, at: number): unknown {
  return Array.isArray(prefixItems) && at < prefixItems.length ? prefixItems[at] : items
}

/** `#/$defs/Room`, or `#` for the whole. */
function referred(reference: string, root: JsonSchema): JsonSchema {
  if (reference === '#') return root
  const name = /^#\/\$defs\/(.+)$/.exec(reference)?.[1] ?? ''
  const definitions = recordOf(root.$defs)
  return Object.hasOwn(definitions, name) ? recordOf(definitions[name]) : {}
}

function recordOf(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {}
}

/** How each is typed, for messages. */
const forms: Readonly<Record<string, string>> = {
  Date: 'ISO 8601 text, like "2026-01-31T12:00:00Z"',
  Uint8Array: 'text in base64',
  Buffer: 'text in base64',
  bigint: 'text of digits',
  Map: 'a list of [key, value]',
  Set: 'a list',
}

/** What is made of JSON for each format; undefined for what is none. */
const makers: Readonly<Record<string, ((value: unknown) => unknown) | undefined>> = {
  // The name of a format is a stranger's.
  __proto__: null as never,
  Date: toDate,
  Uint8Array: toBytes,
  Buffer: toBytes,
  bigint: toBigint,
  Map: toMap,
  Set: (value) => (Array.isArray(value) ? new Set(value) : undefined),
}

function toDate(value: unknown): Date | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d/.test(value)) return undefined
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function toBytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || !/^[\w+/-]*={0,2}$/.test(value)) return undefined
  return new Uint8Array(Buffer.from(value, 'base64'))
}

function toBigint(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number)
  return typeof value === 'string' && /^-?\d{1,10000}$/.test(value) ? BigInt(value) : undefined
}

function toMap(value: unknown): Map<unknown, unknown> | undefined {
  if (!Array.isArray(value)) return undefined
  const pairs = value.every((pair) => Array.isArray(pair) && pair.length === 2)
  return pairs ? new Map(value as [unknown, unknown][]) : undefined
}
