import { defineContract, unary } from 'covey'
import { z } from 'zod'
import { Message, Receipt } from './messages.ts'
import { FriendRequest, Person, UserId } from './people.ts'
import { PresenceChange } from './presence.ts'

/** Something a connected client should know at once. A lost one is healed by the next pull. */
export const ChatEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), message: Message }),
  z.object({ type: z.literal('receipt'), receipt: Receipt }),
  z.object({ type: z.literal('friendRequest'), request: FriendRequest }),
  /** A request was answered, here or on another device. */
  z.object({ type: z.literal('requestAnswered'), requestId: z.string(), accepted: z.boolean() }),
  z.object({ type: z.literal('friendAdded'), friend: Person }),
  z.object({ type: z.literal('presence'), change: PresenceChange }),
  /** The stream is open; everything that is pushed from now on will be seen. */
  z.object({ type: z.literal('ready') }),
])
export type ChatEvent = z.infer<typeof ChatEvent>

/** Delivers events to connections of one gateway instance; every gateway serves it. */
export const push = defineContract('push', {
  deliver: unary({
    input: z.object({
      epoch: z.string(),
      userIds: z.array(UserId).max(1_000),
      event: ChatEvent,
    }),
    /** Connections that took it. */
    output: z.object({ delivered: z.number().int() }),
    idempotent: true,
  }),
})
