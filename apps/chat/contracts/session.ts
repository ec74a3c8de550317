import { z } from 'zod'
import { Nickname, Password, Person, Username } from './people.ts'

/**
 * Sessions are plain HTTP, because the token lives in an HttpOnly cookie that no script can read:
 * `POST /api/accounts` registers, `POST /api/session` logs in, `GET /api/session` says who is logged in,
 * `DELETE /api/session` logs out, `POST /api/session/ticket` gives a ticket for the WebSocket. Errors are
 * problem+json: `{ type, title, status, code, detail, details? }`, `code` as in the contract `users`.
 */
export const Registration = z.object({ username: Username, password: Password, nickname: Nickname })
export const Credentials = z.object({ username: z.string(), password: z.string() })
export const LoggedIn = z.object({ user: Person })
/** Opens one WebSocket, within 30 seconds. */
export const Ticket = z.object({ ticket: z.string() })
