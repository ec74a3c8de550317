import { z } from 'zod'
import { UserId } from './people.ts'

export const ConversationId = z.string().regex(/^c_[A-Za-z0-9_-]{8,80}$/)

/** Chosen by the sender's device; unique for ever together with the sender. */
export const ClientMessageId = z.string().min(8).max(64)

/** Text as it was typed. Never escaped, never interpreted. */
export const MessageText = z
  .string()
  .min(1, 'must not be empty')
  .max(8_000, 'at most 8,000 characters')

/** A committed message. `seq` counts from 1 in its conversation, without gaps. */
export const Message = z.object({
  conversationId: ConversationId,
  seq: z.number().int().positive(),
  senderId: UserId,
  clientId: ClientMessageId,
  text: z.string(),
  sentAtMs: z.number(),
})
export type Message = z.infer<typeof Message>

/** How far one member has come in a conversation: highest sequence that reached a device, and was read. */
export const Receipt = z.object({
  conversationId: ConversationId,
  userId: UserId,
  deliveredSeq: z.number().int().nonnegative(),
  readSeq: z.number().int().nonnegative(),
})
export type Receipt = z.infer<typeof Receipt>

/** A conversation as one member sees it. */
export const Conversation = z.object({
  id: ConversationId,
  kind: z.enum(['direct']),
  /** Ids of all members, this one included. */
  memberIds: z.array(UserId),
  /** Sequence of the newest message; 0 when there is none. */
  lastSeq: z.number().int().nonnegative(),
  lastMessage: Message.nullable(),
  /** One entry a member. unread = lastSeq − own readSeq (own messages count as read). */
  receipts: z.array(Receipt),
})
export type Conversation = z.infer<typeof Conversation>
