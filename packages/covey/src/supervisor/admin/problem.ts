import type { FastifyError, FastifyReply } from 'fastify'
import { codeEntry } from '../../error/codes.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Log } from '../../observe/log.ts'

/** An error as RFC 9457 wants it. */
export interface Problem {
  readonly status: number
  /** The code. */
  readonly title: string
  /** What is wrong and what to do. */
  readonly detail: string
}

/** Answers with `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...problem }))
}

/** Makes a problem of anything thrown. What was not meant for the caller goes to the log only. */
export function toProblem(error: FastifyError | CoveyError, log: Log): Problem {
  if (error instanceof CoveyError) {
    return { status: codeEntry(error.code).http, title: error.code, detail: error.message }
  }
  const status = error.statusCode ?? 500
  if (status < 500) return { status, title: error.code ?? 'BAD_REQUEST', detail: error.message }
  log.error({ err: { message: error.message, stack: error.stack } }, 'the console failed')
  return { status: 500, title: 'INTERNAL', detail: 'the supervisor failed; see its log' }
}
