import type { FastifyReply } from 'fastify'
import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'

/** An error as an HTTP answer. Source: RFC 9457, Problem Details for HTTP APIs. */
export interface Problem {
  readonly status: number
  /** The same code as on every other protocol. */
  readonly code: string
  /** One sentence for people. */
  readonly detail: string
  readonly details?: unknown
}

/** What fastify's own refusals are called here. */
const codesOfFastify: Readonly<Record<number, string>> = {
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'MESSAGE_TOO_LARGE',
}

/** Sends `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code } = problem
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: code, ...problem })
}

/** What to say of an error; one of an unknown kind is logged under an id, and only the id is told. */
export function problemOf(thrown: unknown, { log, url }: { log: Log; url: string }): Problem {
  if (thrown instanceof CoveyError) {
    const { code, message, details } = thrown
    const status = codeEntry(code).http
    return { status, code, detail: message, ...(details === undefined ? {} : { details }) }
  }
  const { statusCode, message } = thrown as { statusCode?: unknown; message?: unknown }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    const code = codesOfFastify[statusCode] ?? 'INVALID_INPUT'
    return { status: statusCode, code, detail: String(message) }
  }
  const errorId = crypto.randomUUID()
  log.error({ err: thrown, errorId, url: url.split('?')[0] }, 'an HTTP route failed')
  return { status: 500, code: 'INTERNAL', detail: `error id ${errorId}`, details: { errorId } }
}
