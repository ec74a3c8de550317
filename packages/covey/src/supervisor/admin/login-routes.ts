import type { FastifyInstance } from 'fastify'
import { CoveyError } from '../../error/covey-error.ts'
import type { Log } from '../../observe/log.ts'
import { sameSecret, sessionCookieName, sessionOf } from './guard.ts'
import type { LoginLimiter } from './login-limiter.ts'
import type { Sessions } from './sessions.ts'

/** What logging in needs. */
export interface LoginOptions {
  readonly token: string
  readonly port: number
  readonly sessions: Sessions
  readonly limiter: LoginLimiter
  readonly log: Log
}

/** `POST /api/login` changes the token into a session cookie; `POST /api/logout` ends the session. */
export function addLoginRoutes(app: FastifyInstance, options: LoginOptions): void {
  const { token, port, sessions, limiter, log } = options
  const cookie = (value: string, rest = '') =>
    `${sessionCookieName(port)}=${value}; Path=/; HttpOnly; SameSite=Strict${rest}`

  app.post('/api/login', async (request, reply) => {
    const waitMs = limiter.waitMs()
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1_000)
      reply.header('retry-after', seconds)
      throw new CoveyError('RESOURCE_EXHAUSTED', `too many tries; wait ${seconds} s`)
    }
    const given = (request.body as { token?: unknown } | undefined | null)?.token
    if (typeof given !== 'string') {
      throw new CoveyError('INVALID_INPUT', 'send {"token": "…"} with what "covey token" prints')
    }
    if (!sameSecret(given.trim(), token)) {
      limiter.fail()
      log.warn({}, 'a login to the console with a wrong token')
      throw new CoveyError('UNAUTHENTICATED', 'this is not the token; "covey token" prints it')
    }
    log.info({}, 'a login to the console')
    return reply.header('set-cookie', cookie(sessions.open())).code(204).send()
  })

  app.post('/api/logout', async (request, reply) => {
    const session = sessionOf(request, port)
    if (session !== undefined) sessions.close(session)
    return reply.header('set-cookie', cookie('', '; Max-Age=0')).code(204).send()
  })
}
