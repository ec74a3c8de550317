import { defineContract, unary } from 'covey'
import { z } from 'zod'
import {
  Conversation,
  ConversationCursor,
  Draft,
  Message,
  MessageRange,
  memberErrors,
  Progress,
  Receipt,
  sendErrors,
} from './messages.ts'
import { UserId } from './people.ts'

/** Conversations, messages and receipts. The message service owns this. */
export const conversations = defineContract('conversations', {
  /** The direct conversation of two users; made when there is none yet, which only friends may. */
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
    input: z.object({ ...Draft.shape, senderId: UserId }),
    output: Message,
    errors: sendErrors,
    idempotent: true,
  }),
  /** Conversations of a user, the one with the newest message first; at most 100 a page. */
  list: unary({
    input: z.object({ userId: UserId, after: ConversationCursor.optional() }),
    output: z.object({
      conversations: z.array(Conversation),
      next: ConversationCursor.nullable(),
    }),
    idempotent: true,
  }),
  /** Messages with `afterSeq` < seq < `beforeSeq`, ascending: the newest `limit` of them, or the oldest when `afterSeq` is given. */
  messages: unary({
    input: z.object({ ...MessageRange.shape, userId: UserId }),
    output: z.array(Message),
    errors: memberErrors,
    idempotent: true,
  }),
  /** Moves receipts forward, at most to the newest message; they never go back. Read counts as delivered. */
  acknowledge: unary({
    input: z.object({ ...Progress.shape, userId: UserId }),
    output: Receipt,
    errors: memberErrors,
    idempotent: true,
  }),
})
