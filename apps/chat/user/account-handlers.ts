import { type Clock, CoveyError, type Handlers } from 'covey'
import { type RandomBytes, randomId } from '../base/random-bytes.ts'
import type { RateLimiter } from '../base/rate-limiter.ts'
import type { users } from '../contracts/users.ts'
import { fold } from './fold.ts'
import type { PasswordHasher } from './password-hasher.ts'
import type { SessionStore } from './session-store.ts'
import type { UserDatabase } from './user-database.ts'

/** What accounts need. */
export interface AccountOptions {
  database: UserDatabase
  sessions: SessionStore
  hasher: PasswordHasher
  /** Tries to log in, by username. */
  tries: RateLimiter
  clock: Clock
  random: RandomBytes
}

type UserHandlers = Handlers<(typeof users)['methods']>
type AccountMethods = 'register' | 'logIn' | 'whoIs' | 'liveSessions' | 'logOut'

/** Accounts and sessions of the contract `users`. */
export function accountHandlers(options: AccountOptions): Pick<UserHandlers, AccountMethods> {
  const { database, sessions } = options
  return {
    async register({ username, password, nickname }, call) {
      const taken = () => call.error('USERNAME_TAKEN', { username }, `"${username}" is taken`)
      if (database.queries.usernameTaken.get({ username })) throw taken()
      const passwordHash = await options.hasher.hash(password)
      const user = { id: randomId('u', options.random), username, nickname }
      const nicknameFolded = fold(nickname)
      return database.commit(() => {
        // Somebody may have taken it while the password was being hashed.
        if (database.queries.usernameTaken.get({ username })) throw taken()
        const nowMs = options.clock.wallMs()
        database.queries.insertUser.run({ ...user, nicknameFolded, passwordHash, nowMs })
        return sessions.begin(user)
      })
    },

    async logIn({ username, password }, call) {
      const retryAfterMs = options.tries.take(username)
      if (retryAfterMs > 0) throw call.error('TOO_MANY_TRIES', { retryAfterMs })
      const account = database.queries.account.get({ username })
      const right = await options.hasher.verify(password, account?.passwordHash)
      if (account === undefined || !right) {
        throw call.error('WRONG_LOGIN', {}, 'username or password is wrong')
      }
      options.tries.reset(username)
      await renewHash(options, account, password)
      const { id, nickname } = account
      return database.commit(() => sessions.begin({ id, username: account.username, nickname }))
    },

    async whoIs({ token }) {
      const session = await sessions.find(token)
      if (session === undefined) {
        throw new CoveyError('UNAUTHENTICATED', 'this session has ended; log in again')
      }
      return session
    },

    liveSessions: ({ sessionIds }) => sessions.live(sessionIds),
    logOut: async ({ token }) => ({ sessionId: await sessions.end(token) }),
  }
}

/** Hashes a password again when it was hashed at another cost; only now is it known. */
async function renewHash(
  { database, hasher }: AccountOptions,
  account: { id: string; passwordHash: string },
  password: string,
): Promise<void> {
  const { id, passwordHash: oldHash } = account
  if (!hasher.outdated(oldHash)) return
  const passwordHash = await hasher.hash(password)
  await database.commit(() => database.queries.setPasswordHash.run({ id, oldHash, passwordHash }))
}
