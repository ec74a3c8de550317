/**
 * The part of a zod 4 schema that is read to compile it: plain data under `_zod.def`. A structural interface, so that zod
 * stays a choice of the user. Source: `zod/v4/core/schemas.d.ts`, written for library authors.
 */
export interface ZodSchema {
  readonly _zod: {
    readonly def: ZodDef
    /** Names of the constructors behind the schema, its own first. */
    readonly traits: ReadonlySet<string>
    readonly bag?: Readonly<Record<string, unknown>>
    readonly values?: ReadonlySet<unknown>
  }
}

/** What a schema was made from; which fields there are depends on `type`. */
export interface ZodDef extends ZodCheckDef {
  readonly type: string
  readonly coerce?: boolean
  readonly checks?: readonly { readonly _zod: { readonly def: ZodCheckDef } }[]
  readonly shape?: Readonly<Record<string, ZodSchema>>
  readonly catchall?: ZodSchema
  readonly element?: ZodSchema
  readonly innerType?: ZodSchema
  readonly options?: readonly ZodSchema[]
  readonly discriminator?: string
  readonly unionFallback?: boolean
  readonly keyType?: ZodSchema
  readonly valueType?: ZodSchema
  readonly mode?: string
}

/** A rule about a value beside its type: a length, a bound, a pattern. */
export interface ZodCheckDef {
  readonly check?: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly value?: unknown
  readonly inclusive?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly length?: number
  readonly includes?: string
  readonly position?: number
  readonly prefix?: string
  readonly suffix?: string
}

/**
 * Constructors whose behaviour is known, by their name without `$Zod`, `_Zod`, `Zod` or `ZodMini`. A schema with any other
 * one among its traits may do anything.
 */
const knownTraits = new Set(
  (
    'Type Check String StringFormat CheckStringFormat Number NumberFormat CheckNumberFormat Boolean BigInt ' +
    'Null Undefined Void Any Unknown Never Date Literal Enum Object ObjectJIT Array Nullable Optional Record Union ' +
    'DiscriminatedUnion Custom InstanceOf GUID UUID Email NanoID CUID CUID2 ULID XID KSUID ISODateTime ISODate ISOTime ' +
    'ISODuration IPv4 E164'
  ).split(' '),
)

/** Whether `schema` is one of zod 4 without behaviour of its own that its data does not tell of. */
export function isKnownZodSchema(schema: unknown): schema is ZodSchema {
  const zod = (schema as Partial<ZodSchema> | undefined)?._zod
  if (typeof zod?.def?.type !== 'string' || !(zod.traits instanceof Set)) return false
  for (const trait of zod.traits) {
    if (!knownTraits.has(trait.replace(/^(?:\$|_)?Zod(?:Mini)?/, ''))) return false
  }
  return true
}
