import { type Client, type Clock, createBackoff, sleep } from 'covey'
import type { PresenceChange, presence } from '../contracts/presence.ts'
import type { users } from '../contracts/users.ts'

/** What following friends needs. */
export interface FriendWatchOptions {
  userId: string
  users: Pick<Client<typeof users>, 'friends'>
  presence: Pick<Client<typeof presence>, 'watch'>
  /** Gets the state of every friend, then each change. */
  tell: (change: PresenceChange) => void
  clock: Clock
  signal: AbortSignal
}

/** Following the friends of one user. */
export interface FriendWatch {
  /** Looks up again who the friends are. */
  refresh(): void
}

/**
 * Follows the presence of a user's friends until `signal` aborts. When a service goes away it begins anew, with
 * backoff, for ever.
 */
export function watchFriends(options: FriendWatchOptions): FriendWatch {
  let round = new AbortController()
  void followForEver(options, () => {
    round = new AbortController()
    return AbortSignal.any([round.signal, options.signal])
  })
  return { refresh: () => round.abort() }
}

async function followForEver(
  { userId, users, presence, tell, clock, signal }: FriendWatchOptions,
  nextRound: () => AbortSignal,
): Promise<void> {
  const backoff = createBackoff({ baseMs: 200, maxMs: 5_000 })
  while (!signal.aborted) {
    const round = nextRound()
    try {
      const friends = await users.friends({ userId }, { signal: round })
      const userIds = friends.map(({ id }) => id)
      for await (const change of presence.watch({ userIds }, { signal: round })) {
        backoff.reset()
        tell(change)
      }
    } catch {
      // A service is away or the round is over; which of them, the signals tell.
    }
    if (signal.aborted) return
    if (!round.aborted) await sleep(Math.max(20, backoff.next()), signal, clock).catch(() => {})
  }
}
