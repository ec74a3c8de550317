import { defineContract, serverStream, unary } from 'covey'
import { z } from 'zod'
import {
  ClientMessageId,
  Conversation,
  ConversationId,
  Message,
  MessageText,
  Receipt,
} from './messages.ts'
import { FoundPerson, FriendRequest, Person, UserId } from './people.ts'
import { ChatEvent } from './push.ts'

const notMember = { NOT_A_MEMBER: z.object({ conversationId: z.string() }) }

/**
 * What the browser may ask, over its WebSocket. Whoever calls is the user of the session that opened the
 * connection; no method takes an own user id.
 */
export const chat = defineContract('chat', {
  me: unary({ output: Person, idempotent: true }),
  findPeople: unary({
    input: z.object({ text: z.string().trim().min(1).max(40) }),
    output: z.array(FoundPerson),
    idempotent: true,
  }),
  requestFriend: unary({
    input: z.object({ userId: UserId, note: z.string().trim().max(200).default('') }),
    output: FriendRequest,
    errors: {
      ALREADY_FRIENDS: z.object({}),
      ALREADY_REQUESTED: z.object({}),
      NO_SUCH_USER: z.object({ id: z.string() }),
      NOT_YOURSELF: z.object({}),
    },
  }),
  requests: unary({ output: z.array(FriendRequest), idempotent: true }),
  answerRequest: unary({
    input: z.object({ requestId: z.string(), accept: z.boolean() }),
    output: FriendRequest,
    errors: { REQUEST_GONE: z.object({ id: z.string() }) },
  }),
  friends: unary({
    output: z.array(z.object({ ...Person.shape, online: z.boolean() })),
    idempotent: true,
  }),
  conversations: unary({
    /** People named in the conversations, so that each has a face. */
    output: z.object({ conversations: z.array(Conversation), people: z.array(Person) }),
    idempotent: true,
  }),
  openDirect: unary({
    input: z.object({ friendId: UserId }),
    output: Conversation,
    errors: { NOT_FRIENDS: z.object({}) },
    idempotent: true,
  }),
  send: unary({
    input: z.object({
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
  messages: unary({
    input: z.object({
      conversationId: ConversationId,
      beforeSeq: z.number().int().positive().optional(),
      afterSeq: z.number().int().nonnegative().optional(),
      limit: z.number().int().min(1).max(200).default(50),
    }),
    output: z.array(Message),
    errors: notMember,
    idempotent: true,
  }),
  acknowledge: unary({
    input: z.object({
      conversationId: ConversationId,
      deliveredSeq: z.number().int().nonnegative().optional(),
      readSeq: z.number().int().nonnegative().optional(),
    }),
    output: Receipt,
    errors: notMember,
    idempotent: true,
  }),
  /**
   * Events for this user: `ready`, the presence of every friend, then whatever happens. A client that falls
   * more than 256 events behind is cut off with `RESOURCE_EXHAUSTED` and pulls by sequence.
   */
  events: serverStream({ output: ChatEvent }),
})
