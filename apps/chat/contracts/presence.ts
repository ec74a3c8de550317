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

/** Who is on which gateway, by leases that gateways renew. The presence service owns this. */
export const presence = defineContract('presence', {
  /**
   * All routes of one gateway instance, replacing what it said before; holds for `leaseMs`. Sent on
   * every change and every third of the lease, so a restarted presence service is whole again at once.
   */
  announce: unary({
    input: z.object({
      instance: z.string(),
      epoch: z.string(),
      leaseMs: z.number().int().min(1_000).max(60_000),
      connections: z.array(z.object({ userId: UserId, connectionId: z.string() })),
    }),
    idempotent: true,
  }),
  routes: unary({
    input: z.object({ userIds: z.array(UserId).max(1_000) }),
    output: z.array(Route),
    idempotent: true,
  }),
  /** First the state of every user asked for, then each change. */
  watch: serverStream({
    input: z.object({ userIds: z.array(UserId).max(1_000) }),
    output: PresenceChange,
  }),
})
