/**
 * A schema of any library that speaks Standard Schema v1 (zod, valibot, arktype, …). Only the parts
 * used here are listed. Source: standardschema.dev.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
    /** Standard JSON Schema: the same as data; missing where a library has it not. */
    readonly jsonSchema?: JsonSchemaMaker | undefined
  }
}

/** Says what a schema takes and gives as JSON Schema. May throw where that cannot be said. */
export interface JsonSchemaMaker {
  input(options: JsonSchemaOptions): Record<string, unknown>
  output(options: JsonSchemaOptions): Record<string, unknown>
}

/** Which JSON Schema is wanted. */
export interface JsonSchemaOptions {
  readonly target: 'draft-2020-12'
  /** What only the library itself understands. */
  readonly libraryOptions?: Record<string, unknown> | undefined
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** One reason why a value does not fit. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What may be given to a schema. */
export type InputOf<S extends Schema> = NonNullable<S['~standard']['types']>['input']

/** What a schema makes of it. */
export type OutputOf<S extends Schema> = NonNullable<S['~standard']['types']>['output']

/** Where in a value an issue lies: its path as plain names, empty for the value as a whole. */
export function issuePath({ path = [] }: SchemaIssue): string[] {
  return path.map((part) => String(typeof part === 'object' ? part.key : part))
}
