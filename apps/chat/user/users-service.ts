import { type Clock, defineService } from 'covey'
import type { RandomBytes } from '../base/random-bytes.ts'
import { secureRandomBytes } from '../base/random-bytes.ts'
import { RateLimiter } from '../base/rate-limiter.ts'
import { users } from '../contracts/users.ts'
import type { PushEvent } from '../push/push-event.ts'
import { accountHandlers } from './account-handlers.ts'
import { friendHandlers } from './friend-handlers.ts'
import { PasswordHasher } from './password-hasher.ts'
import { peopleHandlers } from './people-handlers.ts'
import { SessionStore } from './session-store.ts'
import type { UserSettings } from './settings.ts'
import type { UserDatabase } from './user-database.ts'

/** What the user service needs. */
export interface UsersServiceOptions {
  database: UserDatabase
  /** How connected users hear of requests and friends. */
  push: PushEvent
  clock: Clock
  settings: Pick<UserSettings, 'session' | 'login' | 'friends'>
  random?: RandomBytes
  /** Default: scrypt at its full cost. */
  hasher?: PasswordHasher
}

/** The contract `users`: accounts, sessions, people, friends. */
export function usersService(options: UsersServiceOptions) {
  const { database, push, clock, settings, random = secureRandomBytes } = options
  const { triesPerMinute, maxHashing } = settings.login
  const limit = { burst: triesPerMinute, perSecond: triesPerMinute / 60 }
  const hasher = options.hasher ?? new PasswordHasher({ random, maxRunning: maxHashing })
  const sessions = new SessionStore({ database, clock, random, ...settings.session })
  const tries = new RateLimiter(limit, clock)
  return defineService(users, {
    ...accountHandlers({ database, sessions, hasher, tries, clock, random }),
    ...peopleHandlers(database),
    ...friendHandlers({
      database,
      push,
      clock,
      random,
      maxFriends: settings.friends.max,
      maxOpenRequests: settings.friends.maxOpenRequests,
    }),
  })
}
