import type { Clock } from 'covey'

/** Whether two users are friends, by the service that knows. */
export type AreFriends = (a: string, b: string) => Promise<boolean>

const maxKept = 50_000

/**
 * Remembers for a short time that two are friends, so that a chat is not a question for each message. That two
 * are not is never remembered: a moment later they may be.
 */
export function rememberFriends(areFriends: AreFriends, clock: Clock, keepMs: number): AreFriends {
  // In the order they were learnt, the oldest first.
  const untilMs = new Map<string, number>()
  return async (a, b) => {
    const pair = [a, b].sort().join('\n')
    const known = untilMs.get(pair)
    if (known !== undefined && clock.monotonicMs() < known) return true
    untilMs.delete(pair)
    const friends = await areFriends(a, b)
    if (friends) {
      untilMs.set(pair, clock.monotonicMs() + keepMs)
      const [oldest] = untilMs.keys()
      if (untilMs.size > maxKept && oldest !== undefined) untilMs.delete(oldest)
    }
    return friends
  }
}
