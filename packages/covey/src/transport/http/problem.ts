import { codeEntry } from '../../error/codes.ts'
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
 * The error behind an answer that is no result.
 * @param data the body, decoded, if it was a problem
 * @param where for messages
 */
export function fromProblem(status: number, data: unknown, where: string): CoveyError {
  if (typeof data === 'object' && data !== null) {
    const { code, detail, details } = data as Record<string, unknown>
    if (typeof code === 'string' && typeof detail === 'string') {
      return CoveyError.fromData({ code, message: detail, details })
    }
  }
  // Not from a Covey server: a proxy, or another kind of server. It does not say whether the call was run.
  const message = `${where} answered HTTP ${status} without a reason`
  if (status === 401) return new CoveyError('UNAUTHENTICATED', message)
  if (status === 403) return new CoveyError('PERMISSION_DENIED', message)
  if (status === 413) return new CoveyError('MESSAGE_TOO_LARGE', message)
  if (status >= 502 && status <= 504) return new CoveyError('CONNECTION_LOST', message)
  return new CoveyError('PROTOCOL_ERROR', message)
}
