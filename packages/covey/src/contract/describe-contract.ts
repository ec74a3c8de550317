import type { Schema } from '../base/schema.ts'
import type { CallKind } from '../call/method-ref.ts'
import type { Contract } from './define-contract.ts'
import type { BoundMethod } from './method.ts'
import { nothing } from './schema.ts'

/** JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A method as data: what a caller that has not its contract needs to know. */
export interface MethodDescription {
  readonly name: string
  readonly kind: CallKind
  readonly idempotent: boolean
  /** Milliseconds; null for no limit. */
  readonly timeoutMs: number | null
  /** What is sent; of a stream, each element. `null`: nothing. `{}`: anything, or something JSON Schema cannot say. */
  readonly input: JsonSchema | null
  /** What comes back, in the same form. */
  readonly output: JsonSchema | null
  /** Details of each declared error. */
  readonly errors: Readonly<Record<string, JsonSchema | null>>
}

/** A contract as data. */
export interface ContractDescription {
  readonly name: string
  readonly methods: readonly MethodDescription[]
}

/**
 * Says in plain data what a contract asks and gives. Schemas become JSON Schema where their library speaks Standard
 * JSON Schema (zod from 4.2 on does), otherwise `{}`.
 */
export function describeContract(contract: Contract): ContractDescription {
  const methods = Object.values<BoundMethod>(contract.methods).map(describeMethod)
  return { name: contract.name, methods }
}

function describeMethod(method: BoundMethod): MethodDescription {
  const { name, kind, idempotent, timeoutMs, input, output, errors } = method
  return {
    name,
    kind,
    idempotent,
    timeoutMs: timeoutMs === Number.POSITIVE_INFINITY ? null : timeoutMs,
    input: toJsonSchema(input, 'input'),
    output: toJsonSchema(output, 'output'),
    errors: Object.fromEntries(
      Object.entries(errors).map(([code, details]) => [code, toJsonSchema(details, 'output')]),
    ),
  }
}

/** What JSON has no type for, by zod's name for it. It is told as the `format`, which `covey describe` shows. */
const formats: Readonly<Record<string, string>> = {
  date: 'Date',
  bigint: 'bigint',
  map: 'Map',
  set: 'Set',
}

function toJsonSchema(schema: Schema, side: 'input' | 'output'): JsonSchema | null {
  if (schema === nothing) return null
  const libraryOptions = { unrepresentable: 'any', override: nameUnknown }
  try {
    const made = schema['~standard'].jsonSchema?.[side]({ target: 'draft-2020-12', libraryOptions })
    if (made === undefined) return {}
    const { $schema: _, '~standard': __, ...plain } = made
    return plain
  } catch {
    return {}
  }
}

/** A part of a zod schema, as far as it is looked at. */
interface ZodPart {
  readonly zodSchema: {
    readonly _zod: {
      readonly def: { readonly type: string }
      /** `Class` is what `z.instanceof` was given. */
      readonly bag: { readonly Class?: { readonly name: string } }
    }
  }
  readonly jsonSchema: Record<string, unknown>
}

/** zod calls this for each part; other libraries do not know it. */
function nameUnknown({ zodSchema, jsonSchema }: ZodPart): void {
  const { def, bag } = zodSchema._zod
  const format = Object.hasOwn(formats, def.type) ? formats[def.type] : bag.Class?.name
  if (format !== undefined) jsonSchema.format ??= format
}
