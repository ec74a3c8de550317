import { issuePath, type Schema, type SchemaIssue } from '../base/schema.ts'
import { CoveyError } from '../error/covey-error.ts'
import { shortText } from '../error/short-text.ts'

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

/** A stranger's input has as many issues, with paths as long, as it likes; nobody reads more than these. */
const maxIssues = 20
const maxPathLength = 200
const maxMessageLength = 300

/** Turns the first 20 issues of a schema into plain data. */
function fieldIssues(issues: readonly SchemaIssue[]): FieldIssue[] {
  return issues.slice(0, maxIssues).map((issue) => ({
    path: shortText(issuePath(issue).join('.'), maxPathLength),
    message: shortText(issue.message, maxMessageLength),
  }))
}

/**
 * The error for a value that does not fit: it names what was checked and the fields, of many the first 20.
 * `details.issues` is a list of {@link FieldIssue}, and `details.more` the number of those that it leaves out, if there are any.
 */
export function schemaError(
  code: 'INVALID_INPUT' | 'INVALID_OUTPUT',
  subject: string,
  issues: readonly SchemaIssue[],
): CoveyError {
  const fields = fieldIssues(issues)
  const more = issues.length - fields.length
  const texts = fields.map(({ path, message }) => (path ? `${path}: ${message}` : message))
  if (more > 0) texts.push(`and ${more} more`)
  const details = more > 0 ? { issues: fields, more } : { issues: fields }
  return new CoveyError(code, `${subject}: ${texts.join('; ')}`, { details })
}
