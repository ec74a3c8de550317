import { CoveyError } from '../error/covey-error.ts'

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
  }
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

/** The schema of methods without input or output. A null from other languages counts as nothing. */
export const nothing: Schema<void, void> = {
  '~standard': {
    version: 1,
    vendor: 'covey',
    validate: (value) =>
      value === undefined || value === null
        ? { value: undefined }
        : { issues: [{ message: 'expected nothing' }] },
  },
}

/** An issue as plain data: `rooms.0.name` and what is wrong there. */
export interface FieldIssue {
  /** Dotted path; empty for the value as a whole. */
  readonly path: string
  readonly message: string
}

/** Turns the issues of a schema into plain data. */
export function fieldIssues(issues: readonly SchemaIssue[]): FieldIssue[] {
  return issues.map(({ message, path = [] }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }))
}

/**
 * The error for a value that does not fit: it names what was checked and every field.
 * `details.issues` is a list of {@link FieldIssue}.
 */
export function schemaError(
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  subject: string,
  issues: readonly SchemaIssue[],
): CoveyError {
  const fields = fieldIssues(issues)
  const text = fields
    .map(({ path, message }) => (path ? `${path}: ${message}` : message))
    .join('; ')
  return new CoveyError(code, `${subject}: ${text}`, { details: { issues: fields } })
}
