import { z } from 'zod'
import { UserId } from './people.ts'
import { isWellFormed, notWellFormed } from './well-formed.ts'

export const ConversationId = z.string().regex(/^c_[A-Za-z0-9_-]{8,80}$/)

/** Chosen by the sender's device; unique for ever together with the sender. `crypto.randomUUID()` fits. */
export const ClientMessageId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/, '8 to 64 letters, digits, dashes or underscores')

/** Text as it was typed. Never escaped, never interpreted. */
export const MessageText = z
  .string()
  .min(1, 'must not be empty')
  .max(8_000, 'at most 8,000 characters')
  .refine(isWellFormed, notWellFormed)

/**
 * A committed message. `seq` counts from 1 in its conversation, without gaps. It moves the receipt of
 * its sender to `seq`: whoever writes has read what is above.
 */
export const Message = z.object({
  conversationId: ConversationId,
  seq: z.number().int().positive(),
  senderId: UserId,
  clientId: ClientMessageId,
  text: z.string(),
  /** Time of the server; within a conversation it never goes back. */
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

/** Where a page of conversations ended, to ask for the next one. Opaque. */
export const ConversationCursor = z.string().max(120)

/**
 * One page of messages of a conversation, ascending by sequence. A page may hold fewer than `limit`: its
 * texts are at most 128 KiB, so that every answer fits a frame and a slow line. What is missing is told by the sequences,
 * never by the length: there is more above while the first `seq` is over 1.
 */
export const MessageRange = z.object({
  conversationId: ConversationId,
  beforeSeq: z.number().int().positive().optional(),
  afterSeq: z.number().int().nonnegative().optional(),
  limit: z.number().int().min(1).max(200).default(50),
})

/** A message to be sent. */
export const Draft = z.object({
  conversationId: ConversationId,
  clientId: ClientMessageId,
  text: MessageText,
})

/** How far somebody has come now; what is left out stays. */
export const Progress = z.object({
  conversationId: ConversationId,
  deliveredSeq: z.number().int().nonnegative().optional(),
  readSeq: z.number().int().nonnegative().optional(),
})

/** Errors of every method that is about one conversation: an unknown one and one of others look the same. */
export const memberErrors = { NOT_A_MEMBER: z.object({ conversationId: z.string() }) }

/** Errors of sending. */
export const sendErrors = {
  ...memberErrors,
  NOT_FRIENDS: z.object({}),
  /** Too many new messages; resends are never refused for this. */
  TOO_FAST: z.object({ retryAfterMs: z.number() }),
  /** This client id stands for another text or another conversation already. */
  CLIENT_ID_REUSED: z.object({ clientId: z.string() }),
}
