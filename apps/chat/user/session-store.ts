import { createHash } from 'node:crypto'
import type { Clock } from 'covey'
import { type RandomBytes, randomId } from '../base/random-bytes.ts'
import type { Person } from '../contracts/people.ts'
import type { UserDatabase } from './user-database.ts'

const dayMs = 24 * 60 * 60 * 1_000

/** What a {@link SessionStore} needs. */
export interface SessionStoreOptions {
  database: UserDatabase
  clock: Clock
  random: RandomBytes
  ttlDays: number
  maxPerUser: number
}

/** A session without its secret. */
export interface Session {
  sessionId: string
  expiresAtMs: number
  user: Person
}

/** Sessions of logged-in users. A token has 256 random bits; only its SHA-256 is kept. */
export class SessionStore {
  readonly #options: SessionStoreOptions

  constructor(options: SessionStoreOptions) {
    this.#options = options
  }

  /** Begins a session. To be called inside a commit. */
  begin(user: Person): Session & { token: string } {
    const { database, clock, random, maxPerUser } = this.#options
    const nowMs = clock.wallMs()
    const token = random(32).toString('base64url')
    const session = {
      id: randomId('s', random),
      tokenHash: hashToken(token),
      userId: user.id,
      nowMs,
      expiresAtMs: this.#endOf(nowMs),
    }
    database.queries.deleteExpiredSessions.run({ nowMs })
    database.queries.insertSession.run(session)
    database.queries.deleteOldSessions.run({ userId: user.id, keep: maxPerUser })
    return { token, sessionId: session.id, expiresAtMs: session.expiresAtMs, user }
  }

  /** The session of a token, or undefined. Renews it when the last renewal is a day old. */
  async find(token: string): Promise<Session | undefined> {
    const { database, clock } = this.#options
    const nowMs = clock.wallMs()
    const row = database.queries.session.get({ tokenHash: hashToken(token), nowMs })
    if (row === undefined) return undefined
    const { sessionId, renewedAtMs, expiresAtMs, id, username, nickname } = row
    const user = { id, username, nickname }
    if (nowMs - renewedAtMs < dayMs) return { sessionId, expiresAtMs, user }
    return { sessionId, expiresAtMs: await this.#renew(sessionId, nowMs, expiresAtMs), user }
  }

  /** Which of these sessions still hold. */
  live(sessionIds: readonly string[]): string[] {
    const { database, clock } = this.#options
    const ids = JSON.stringify(sessionIds)
    return database.queries.liveSessions.all({ ids, nowMs: clock.wallMs() }).map(({ id }) => id)
  }

  /** Ends the session of a token. Its id, or null when there is none. */
  async end(token: string): Promise<string | null> {
    const { database } = this.#options
    const tokenHash = hashToken(token)
    const ended = await database.commit(() => database.queries.deleteSession.get({ tokenHash }))
    return ended?.id ?? null
  }

  /** The new end; the old one if it could not be written, since the session itself holds either way. */
  async #renew(id: string, nowMs: number, oldEndMs: number): Promise<number> {
    const { database } = this.#options
    const expiresAtMs = this.#endOf(nowMs)
    try {
      await database.commit(() => database.queries.renewSession.run({ id, nowMs, expiresAtMs }))
      return expiresAtMs
    } catch {
      return oldEndMs // the commit queue has logged why
    }
  }

  #endOf(nowMs: number): number {
    return Math.round(nowMs + this.#options.ttlDays * dayMs)
  }
}

function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
