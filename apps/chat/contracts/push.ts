import { defineContract, unary } from 'covey'
import { z } from 'zod'
import { Message, Receipt } from './messages.ts'
import { FriendRequest, Person, UserId } from './people.ts'
import { PresenceChange } from './presence.ts'

/** Something a connected client should know at once. A lost one is healed by the next pull. */
export const ChatEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), message: Message }),
  /** Not sent for what a message says already: its sender has read up to it. */
  z.object({ type: z.literal('receipt'), receipt: Receipt }),
  z.object({ type: z.literal('friendRequest'), request: FriendRequest }),
  /** A request was answered: for whoever asked, and for the other devices of whoever answered. */
  z.object({ type: z.literal('requestAnswered'), request: FriendRequest }),
  z.object({ type: z.literal('friendAdded'), friend: Person }),
  z.object({ type: z.literal('presence'), change: PresenceChange }),
  /**
   * Everything that is pushed from now on will be seen: pull what came before. Sent when the stream opens, and
   * again whenever pushes may have been lost on the way (the presence service was restarted).
   */
  z.object({ type: z.literal('ready') }),
])
export type ChatEvent = z.infer<typeof ChatEvent>

/** One event and whom it is for. */
export const Delivery = z.object({ userIds: z.array(UserId).max(1_000), event: ChatEvent })
export type Delivery = z.infer<typeof Delivery>

/** Delivers events to connections of one gateway instance; every gateway serves it. */
export const push = defineContract('push', {
  /** Hands events to the connections of their users, in this order. */
  deliver: unary({
    input: z.object({ epoch: z.string(), deliveries: z.array(Delivery).max(100) }),
    /** Connections that took an event, counted for each event. */
    output: z.object({ delivered: z.number().int() }),
    /** The route is of an earlier life of this gateway. */
    errors: { STALE_ROUTE: z.object({ epoch: z.string() }) },
    idempotent: true,
    timeoutMs: 2_000,
  }),
})
