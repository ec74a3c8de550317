import { issuePath, type Schema, type SchemaIssue } from '../base/schema.ts'
import { CoveyError } from '../error/covey-error.ts'

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
  return issues.map((issue) => ({ path: issuePath(issue).join('.'), message: issue.message }))
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
