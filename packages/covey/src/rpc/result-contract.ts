import type { Schema, SchemaIssue } from '../base/schema.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'
import { amount, listOf, objectOf, oneOf, text } from '../contract/plain-types.ts'
import type { ErrorData } from '../error/covey-error.ts'

/** What is asked about results of submitted calls. */
export interface CollectRequest {
  /** At most {@link maxTokens}. */
  readonly tokens: readonly string[]
  /** How long to wait until none of them is running, in milliseconds. At most {@link maxWaitMs}. */
  readonly waitMs: number
}

/** What has become of a submitted call. */
export type CollectedResult =
  | { readonly state: 'done'; readonly value?: unknown }
  | { readonly state: 'failed'; readonly error: ErrorData }
  /** Also when the answer is full: ask again. */
  | { readonly state: 'running' }
  /** Never given, or expired. */
  | { readonly state: 'unknown' }

/** Tokens in one question. */
export const maxTokens = 1_000
/** The longest that one question waits, in milliseconds. */
export const maxWaitMs = 60_000

const request = objectOf({ tokens: listOf(text), waitMs: amount })

const collected = objectOf({
  state: oneOf('done', 'failed', 'running', 'unknown'),
  'value?': {},
  'error?': objectOf({ code: text, message: text, 'details?': {} }),
})

/** Served by every application: the results of calls that were submitted to this instance. */
export const resultContract = defineContract('covey.results', {
  collect: unary({
    input: {
      '~standard': {
        version: 1,
        vendor: 'covey',
        validate,
        jsonSchema: { input: () => ({ ...request }), output: () => ({ ...request }) },
      },
    } as Schema<CollectRequest>,
    output: plain<CollectedResult[]>(listOf(collected)),
    idempotent: true,
    timeoutMs: 30_000,
  }),
})

function validate(value: unknown): { value: CollectRequest } | { issues: SchemaIssue[] } {
  const { tokens, waitMs } = (value ?? {}) as Partial<CollectRequest>
  const issues: SchemaIssue[] = []
  const texts = Array.isArray(tokens) && tokens.every((token) => typeof token === 'string')
  if (!texts) issues.push({ path: ['tokens'], message: 'expected a list of texts' })
  else if (tokens.length > maxTokens) {
    issues.push({ path: ['tokens'], message: `expected at most ${maxTokens}` })
  }
  if (typeof waitMs !== 'number' || !(waitMs >= 0)) {
    issues.push({ path: ['waitMs'], message: 'expected a number of milliseconds' })
  }
  if (issues.length > 0) return { issues }
  return { value: { tokens: tokens!, waitMs: Math.min(waitMs!, maxWaitMs) } }
}
