import { type Client, type Clock, CoveyError, type Log } from 'covey'
import { allowOrigin, type Problem, problemOf, sendProblem } from 'covey/gateway'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { RateLimiter } from '../base/rate-limiter.ts'
import { Credentials, Registration } from '../contracts/session.ts'
import type { users } from '../contracts/users.ts'
import { addressKey } from './address-key.ts'
import { noSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.ts'
import type { SessionWatch } from './session-watch.ts'
import type { Tickets } from './tickets.ts'

/** What the routes of sessions need. */
export interface SessionRouteOptions {
  users: Pick<Client<typeof users>, 'register' | 'logIn' | 'whoIs' | 'logOut'>
  tickets: Pick<Tickets, 'issue' | 'revokeSession'>
  sessions: Pick<SessionWatch, 'end'>
  /** Tries to log in or to register, by address. */
  tries: RateLimiter
  /** Whether browsers come by https, so that the cookie never travels without it. */
  secure: boolean
  /** Origins whose pages may write, beside the gateway's own. */
  origins: readonly string[]
  clock: Clock
  log: Log
}

type NewSession = Awaited<ReturnType<SessionRouteOptions['users']['logIn']>>

/** Statuses of errors that only the contract knows. */
const statuses: Readonly<Record<string, number>> = {
  USERNAME_TAKEN: 409,
  WRONG_LOGIN: 401,
  TOO_MANY_TRIES: 429,
}

/** Adds the routes that the contract `session` describes, under `/api`. */
export async function sessionRoutes(
  http: FastifyInstance,
  options: SessionRouteOptions,
): Promise<void> {
  await http.register(
    async (api) => {
      // Only JSON: whatever a form of another site can send is refused.
      api.removeContentTypeParser('text/plain')
      api.addHook('onRequest', requireOwnOrigin(options))
      api.addHook(
        'onSend',
        async (_request, reply) => void reply.header('cache-control', 'no-store'),
      )
      api.setErrorHandler((error, request, reply) => answerError(error, request, reply, options))
      addRoutes(api, options)
    },
    { prefix: '/api' },
  )
}

function addRoutes(api: FastifyInstance, options: SessionRouteOptions): void {
  const { users, tickets, secure } = options

  api.post('/accounts', async (request, reply) => {
    takeTry(request, options)
    const session = await users.register(parse(Registration, request.body))
    return begin(request, reply.code(201), session, options)
  })

  api.post('/session', async (request, reply) => {
    takeTry(request, options)
    const session = await users.logIn(parse(Credentials, request.body))
    return begin(request, reply, session, options)
  })

  api.get('/session', async (request, reply) => {
    const token = readSessionCookie(request.headers.cookie)
    if (token === undefined) return { user: null }
    try {
      const { user, expiresAtMs } = await users.whoIs({ token })
      keepCookie(reply, token, expiresAtMs, options)
      return { user }
    } catch (error) {
      // To be nobody is an answer here, not a failure.
      if (CoveyError.from(error).code !== 'UNAUTHENTICATED') throw error
      reply.header('set-cookie', noSessionCookie(secure))
      return { user: null }
    }
  })

  api.delete('/session', async (request, reply) => {
    const token = readSessionCookie(request.headers.cookie)
    if (token !== undefined) await endSession(token, options)
    return reply.code(204).header('set-cookie', noSessionCookie(secure)).send()
  })

  api.post('/session/ticket', async (request) => {
    const { user, sessionId } = await users.whoIs({ token: requireToken(request) })
    return { ticket: tickets.issue({ userId: user.id, sessionId }) }
  })
}

/** Writes come from pages of this gateway only, with whatever cookies another page makes the browser send. */
function requireOwnOrigin({ origins }: SessionRouteOptions) {
  const allowed = allowOrigin(origins)
  return async ({ method, headers }: FastifyRequest): Promise<void> => {
    if (method === 'GET' || method === 'HEAD') return
    if (headers.origin !== undefined && allowed(headers.origin, { headers })) return
    const from = headers.origin === undefined ? 'without an Origin header' : 'of another origin'
    throw new CoveyError('PERMISSION_DENIED', `a request ${from} may not write`)
  }
}

function takeTry({ ip }: FastifyRequest, { tries }: SessionRouteOptions): void {
  const retryAfterMs = tries.take(addressKey(ip))
  if (retryAfterMs === 0) return
  const details = { retryAfterMs }
  throw new CoveyError('TOO_MANY_TRIES', 'too many tries from this address', { details })
}

/** Gives the browser its new session, and ends the one it had. */
async function begin(
  request: FastifyRequest,
  reply: FastifyReply,
  { token, expiresAtMs, user }: NewSession,
  options: SessionRouteOptions,
): Promise<{ user: NewSession['user'] }> {
  const before = readSessionCookie(request.headers.cookie)
  if (before !== undefined) {
    await endSession(before, options).catch((error) => {
      options.log.warn({ code: CoveyError.from(error).code }, 'an earlier session was not ended')
    })
  }
  keepCookie(reply, token, expiresAtMs, options)
  return { user }
}

/** Ends a session for good, with its tickets and connections here; other gateways find out by themselves. */
async function endSession(
  token: string,
  { users, tickets, sessions }: SessionRouteOptions,
): Promise<void> {
  const { sessionId } = await users.logOut({ token })
  if (sessionId === null) return
  tickets.revokeSession(sessionId)
  sessions.end(sessionId)
}

function keepCookie(
  reply: FastifyReply,
  token: string,
  expiresAtMs: number,
  { clock, secure }: SessionRouteOptions,
): void {
  reply.header('set-cookie', sessionCookie(token, expiresAtMs - clock.wallMs(), secure))
}

function requireToken({ headers }: FastifyRequest): string {
  const token = readSessionCookie(headers.cookie)
  if (token === undefined) throw new CoveyError('UNAUTHENTICATED', 'nobody is logged in')
  return token
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new CoveyError('INVALID_INPUT', text, { details: { issues } })
}

function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, secure }: SessionRouteOptions,
): FastifyReply {
  const problem = problemOf(error, { log, url: request.url })
  const status = statuses[problem.code] ?? problem.status
  const seconds = retryAfterSeconds(problem)
  if (seconds !== undefined) reply.header('retry-after', seconds)
  const sent = readSessionCookie(request.headers.cookie) !== undefined
  if (sent && problem.code === 'UNAUTHENTICATED')
    reply.header('set-cookie', noSessionCookie(secure))
  return sendProblem(reply, { ...problem, status })
}

function retryAfterSeconds({ details }: Problem): number | undefined {
  const { retryAfterMs } = (details ?? {}) as { retryAfterMs?: unknown }
  return typeof retryAfterMs === 'number' ? Math.ceil(retryAfterMs / 1_000) : undefined
}
