import { CoveyError } from 'covey/client'
import type { z } from 'zod'
import type { Person } from '../../../contracts/people.ts'
import {
  type Credentials,
  CurrentSession,
  LoggedIn,
  type Registration,
  Ticket,
} from '../../../contracts/session.ts'

/** Sessions, over plain HTTP because their token is in a cookie that no script can read. */
export interface SessionApi {
  /** @throws CoveyError `USERNAME_TAKEN`, `INVALID_INPUT`, `UNAVAILABLE` */
  register(registration: z.input<typeof Registration>): Promise<Person>
  /** @throws CoveyError `WRONG_LOGIN`, `TOO_MANY_TRIES`, `UNAVAILABLE` */
  logIn(credentials: z.input<typeof Credentials>): Promise<Person>
  /** Who is logged in, or undefined. @throws CoveyError `UNAVAILABLE` */
  whoAmI(): Promise<Person | undefined>
  logOut(): Promise<void>
  /** A ticket that opens one WebSocket. @throws CoveyError `UNAUTHENTICATED`, `UNAVAILABLE` */
  ticket(): Promise<string>
}

/** Time for one request, in milliseconds. */
const timeoutMs = 10_000

/** @param request usually `fetch` */
export function createSession(request: typeof fetch): SessionApi {
  const ask = (method: string, path: string, body?: unknown) => send(request, method, path, body)
  return {
    register: async (input) => LoggedIn.parse(await ask('POST', '/api/accounts', input)).user,
    logIn: async (input) => LoggedIn.parse(await ask('POST', '/api/session', input)).user,
    async whoAmI() {
      return CurrentSession.parse(await ask('GET', '/api/session')).user ?? undefined
    },
    logOut: async () => void (await ask('DELETE', '/api/session')),
    ticket: async () => Ticket.parse(await ask('POST', '/api/session/ticket')).ticket,
  }
}

async function send(
  request: typeof fetch,
  method: string,
  path: string,
  body: unknown,
): Promise<unknown> {
  const response = await request(path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new CoveyError('UNAVAILABLE', `${method} ${path}: no answer`, { cause })
  })
  const text = await response.text()
  if (response.ok) return text === '' ? undefined : JSON.parse(text)
  throw problemOf(response.status, text)
}

/** The error of a problem+json answer; what is not one was sent by something in between. */
function problemOf(status: number, text: string): CoveyError {
  const problem = parse(text)
  if (typeof problem?.code !== 'string') {
    const code = status === 401 ? 'UNAUTHENTICATED' : status >= 500 ? 'UNAVAILABLE' : 'INTERNAL'
    return new CoveyError(code, `the server answered with status ${status}`)
  }
  const { code, detail, details } = problem
  return new CoveyError(code as string, typeof detail === 'string' ? detail : String(code), {
    details,
  })
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
