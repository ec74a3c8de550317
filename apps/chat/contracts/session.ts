import { z } from 'zod'
import { LoginName, Nickname, Password, Person, Username } from './people.ts'

/**
 * Sessions are plain HTTP, because the token lives in an HttpOnly cookie that no script can read:
 * `POST /api/accounts` registers (201), `POST /api/session` logs in, `GET /api/session` says who is logged in
 * (null when nobody is), `DELETE /api/session` logs out (204), `POST /api/session/ticket` gives a ticket for the
 * WebSocket. Bodies are `application/json`. Errors are problem+json: `{ type, title, status, code, detail,
 * details? }`, `code` as in the contract `users`, or a code of the framework such as `INVALID_INPUT`.
 */
export const Registration = z.object({ username: Username, password: Password, nickname: Nickname })
export const Credentials = z.object({ username: LoginName, password: z.string().max(200) })
export const LoggedIn = z.object({ user: Person })
export const CurrentSession = z.object({ user: Person.nullable() })
/** Opens one WebSocket, within 30 seconds. */
export const Ticket = z.object({ ticket: z.string() })
