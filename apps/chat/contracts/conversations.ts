import { defineContract, unary } from 'covey'
import { z } from 'zod'
import {
  ClientMessageId,
  Conversation,
  ConversationId,
  Message,
  MessageText,
  Receipt,
} from './messages.ts'
import { UserId } from './people.ts'

const notMember = { NOT_A_MEMBER: z.object({ conversationId: z.string() }) }

/** Conversations, messages and receipts. The message service owns this. */
export const conversations = defineContract('conversations', {
  /** The direct conversation of two friends; made when there is none yet. */
  openDirect: unary({
    input: z.object({ userId: UserId, friendId: UserId }),
    output: Conversation,
    errors: { NOT_FRIENDS: z.object({}) },
    idempotent: true,
  }),
  /**
   * Commits a message with the next sequence, then answers. `(senderId, clientId)` is unique for
   * ever: sending it again returns the first result, so it is safe to repeat.
   */
  send: unary({
    input: z.object({
      senderId: UserId,
      conversationId: ConversationId,
      clientId: ClientMessageId,
      text: MessageText,
    }),
    output: Message,
    errors: {
      ...notMember,
      NOT_FRIENDS: z.object({}),
      TOO_FAST: z.object({ retryAfterMs: z.number() }),
    },
    idempotent: true,
  }),
  /** Conversations of a user, the one with the newest message first. */
  list: unary({
    input: z.object({ userId: UserId }),
    output: z.array(Conversation),
    idempotent: true,
  }),
  /** Messages with `afterSeq` < seq < `beforeSeq`, ascending: the newest `limit` of them, or the oldest when `afterSeq` is given. */
  messages: unary({
    input: z.object({
      userId: UserId,
      conversationId: ConversationId,
      beforeSeq: z.number().int().positive().optional(),
      afterSeq: z.number().int().nonnegative().optional(),
      limit: z.number().int().min(1).max(200).default(50),
    }),
    output: z.array(Message),
    errors: notMember,
    idempotent: true,
  }),
  /** Moves receipts forward; they never go back. */
  acknowledge: unary({
    input: z.object({
      userId: UserId,
      conversationId: ConversationId,
      deliveredSeq: z.number().int().nonnegative().optional(),
      readSeq: z.number().int().nonnegative().optional(),
    }),
    output: Receipt,
    errors: notMember,
    idempotent: true,
  }),
})
