import { defineContract, serverStream, unary } from 'covey'
import { z } from 'zod'
import { UserId } from './people.ts'

/**
 * Where a user can be reached: one connection of one gateway instance. `epoch` tells two lives of the
 * same gateway apart.
 */
export const Route = z.object({
  userId: UserId,
  instance: z.string(),
  epoch: z.string(),
  connectionId: z.string(),
})
export type Route = z.infer<typeof Route>

export const PresenceChange = z.object({ userId: UserId, online: z.boolean() })
export type PresenceChange = z.infer<typeof PresenceChange>

const UserIds = z.array(UserId).max(1_000)

/** Who is on which gateway, by leases that gateways renew. The presence service owns this. */
export const presence = defineContract('presence', {
  /**
   * All routes of one gateway instance, replacing what it said before; holds for `leaseMs`. Sent on
   * every change and every third of the lease, so a restarted presence service is whole again at once.
   * What an earlier life of the instance says after a later one is ignored.
   */
  announce: unary({
    input: z.object({
      instance: z.string(),
      epoch: z.string(),
      leaseMs: z.number().int().min(1_000).max(60_000),
      connections: z.array(z.object({ userId: UserId, connectionId: z.string() })),
    }),
    /** Whether these routes follow on earlier ones. If not, pushes may have been lost before this. */
    output: z.object({ renewed: z.boolean() }),
    idempotent: true,
  }),
  /** Live routes, of this very moment. For reaching people, not for telling whether they are there. */
  routes: unary({
    input: z.object({ userIds: UserIds }),
    output: z.array(Route),
    idempotent: true,
  }),
  /** Which of these users are online; a short break, such as a reloaded page, does not count. */
  online: unary({
    input: z.object({ userIds: UserIds }),
    output: z.array(UserId),
    idempotent: true,
  }),
  /**
   * First the state of every user asked for, then each change; a slow reader gets the newest state, not
   * each step. While the service has just started, it says nothing of users it has not heard of yet.
   */
  watch: serverStream({ input: z.object({ userIds: UserIds }), output: PresenceChange }),
})
