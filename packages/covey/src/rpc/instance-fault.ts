import type { Code } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'

/**
 * Codes of failures that may be those of the instance and not of what it was asked. That what it was asked may fail everywhere is of no
 * matter: instances are compared.
 */
const faults: ReadonlySet<string> = new Set<Code>([
  'INTERNAL',
  'INVALID_OUTPUT',
  'UNAVAILABLE',
  'DEPENDENCY_UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'DEADLINE_EXCEEDED',
  'CONNECTION_LOST',
  'INTEGRITY_FAILED',
  'PROTOCOL_ERROR',
])

/** The code of such a failure; undefined for other errors. What is no `CoveyError` comes from a part of this process. */
export function instanceFault(error: unknown): string | undefined {
  if (!(error instanceof CoveyError)) return undefined
  return faults.has(error.code) ? error.code : undefined
}

/** Whether nothing is known of what would have come of a call. */
export function wasCancelled(error: unknown): boolean {
  return error instanceof CoveyError && error.code === 'CANCELLED'
}
