import { type Code, codeEntry } from '../../error/codes.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { retryAfterMs } from '../../error/retry-hints.ts'

/** An error as an HTTP answer. Source: RFC 9457, Problem Details for HTTP APIs. */
export interface Problem {
  readonly type: 'about:blank'
  /** The code, which is what tells errors apart. */
  readonly title: string
  readonly status: number
  /** The same code as on every other protocol. */
  readonly code: string
  /** One sentence for people. */
  readonly detail: string
  readonly details?: unknown
}

/**
 * What to say of an error.
 * @param status where HTTP has a more exact one than the table of codes
 */
export function toProblem(error: CoveyError, status = codeEntry(error.code).http): Problem {
  const { code, message, details } = error
  const problem = { type: 'about:blank', title: code, status, code, detail: message } as const
  return details === undefined ? problem : { ...problem, details }
}

/** What `retry-after` says of it, in whole seconds; undefined where the error does not say, or that it should not come again. */
export function retryAfterSeconds(error: CoveyError): number | undefined {
  const ms = retryAfterMs(error)
  return ms === undefined || ms < 0 || ms === Number.POSITIVE_INFINITY
    ? undefined
    : Math.ceil(ms / 1_000)
}

/**
 * What a `retry-after` header says, in milliseconds from now: seconds, or a date. Undefined where it says neither.
 * Source: RFC 9110, HTTP Semantics, 10.2.3.
 */
export function readRetryAfter(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - wallMs
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

/**
 * The error behind an answer that is no result.
 * @param data the body, decoded, if it was a problem
 * @param where for messages
 * @param afterMs when the call may be sent again, as the header of an answer without a reason says
 */
export function fromProblem(
  status: number,
  data: unknown,
  where: string,
  afterMs?: number,
): CoveyError {
  if (typeof data === 'object' && data !== null) {
    const { code, detail, details } = data as Record<string, unknown>
    if (typeof code === 'string' && typeof detail === 'string') {
      return CoveyError.fromData({ code, message: detail, details })
    }
  }
  // Not from a Covey server: a proxy, or another kind of server. Only of one that is over its limit it is known that it ran nothing.
  const message = `${where} answered HTTP ${status} without a reason`
  const details = afterMs === undefined ? undefined : { retryAfterMs: afterMs }
  return CoveyError.fromData({ code: codeOf(status), message, details })
}

function codeOf(status: number): Code {
  if (status === 401) return 'UNAUTHENTICATED'
  if (status === 403) return 'PERMISSION_DENIED'
  if (status === 413) return 'MESSAGE_TOO_LARGE'
  if (status === 429) return 'RESOURCE_EXHAUSTED'
  return status >= 502 && status <= 504 ? 'CONNECTION_LOST' : 'PROTOCOL_ERROR'
}
