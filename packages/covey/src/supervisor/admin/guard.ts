import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CoveyError } from '../../error/covey-error.ts'
import { sendProblem } from './problem.ts'
import type { Sessions } from './sessions.ts'

/** What may be asked for without having logged in; everything else, unknown paths too, may not. */
const publicRoutes: ReadonlySet<string | undefined> = new Set([
  '/',
  '/page.css',
  '/page.js',
  '/api/login',
])

const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
}

/** What the guard knows. */
export interface GuardOptions {
  readonly token: string
  readonly port: number
  readonly sessions: Sessions
}

/** Stands before every request of the API and the console. */
export type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * Lets a request pass when it is addressed to this machine by a name of its own (a page that had its name resolved to
 * 127.0.0.1 is not), writes only from the console's own pages or from programs, and its sender has logged in.
 */
export function createGuard({ token, port, sessions }: GuardOptions): Guard {
  const hosts = ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) =>
    port === 80 ? [name, `${name}:80`] : [`${name}:${port}`],
  )
  return async (request, reply) => {
    reply.headers(securityHeaders)
    const { host, origin, authorization } = request.headers
    if (host === undefined || !hosts.includes(host.toLowerCase())) {
      const detail = `this server answers for ${hosts.join(', ')} only`
      return sendProblem(reply, { status: 421, title: 'MISDIRECTED_REQUEST', detail })
    }
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD'
    if (isWrite && origin !== undefined && origin !== `http://${host.toLowerCase()}`) {
      throw new CoveyError('PERMISSION_DENIED', 'a page of another origin may not write here')
    }
    if (publicRoutes.has(request.routeOptions.url)) return
    if (authorization !== undefined) {
      if (sameSecret(authorization, `Bearer ${token}`)) return
      throw new CoveyError('UNAUTHENTICATED', 'this token is not valid; "covey token" prints it')
    }
    const session = sessionOf(request, port)
    if (session === undefined || !sessions.touch(session)) {
      throw new CoveyError('UNAUTHENTICATED', 'log in, or send the token that "covey token" prints')
    }
    if (isWrite && origin === undefined) {
      throw new CoveyError('PERMISSION_DENIED', 'a write with a cookie must say its origin')
    }
  }
}

/** Compares in a time that tells nothing about where the texts differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Browsers send cookies of 127.0.0.1 to all its ports: the name keeps two consoles apart. */
export function sessionCookieName(port: number): string {
  return `covey_console_${port}`
}

/** The session id that a request carries. */
export function sessionOf(request: FastifyRequest, port: number): string | undefined {
  const prefix = `${sessionCookieName(port)}=`
  const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim())
  return cookies.find((cookie) => cookie.startsWith(prefix))?.slice(prefix.length)
}
