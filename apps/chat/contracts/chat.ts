import { defineContract, serverStream, unary } from 'covey'
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
import {
  answerErrors,
  FoundPerson,
  FriendRequest,
  Note,
  Person,
  requestErrors,
  SearchText,
  UserId,
} from './people.ts'
import { ChatEvent } from './push.ts'

/**
 * What the browser may ask, over its WebSocket. Whoever calls is the user of the session that opened the
 * connection; no method takes an own user id.
 */
export const chat = defineContract('chat', {
  me: unary({ output: Person, idempotent: true }),
  findPeople: unary({
    input: z.object({ text: SearchText }),
    output: z.array(FoundPerson),
    idempotent: true,
  }),
  requestFriend: unary({
    input: z.object({ userId: UserId, note: Note.default('') }),
    output: FriendRequest,
    errors: requestErrors,
  }),
  requests: unary({ output: z.array(FriendRequest), idempotent: true }),
  answerRequest: unary({
    input: z.object({ requestId: z.string().max(64), accept: z.boolean() }),
    output: FriendRequest,
    errors: answerErrors,
    idempotent: true,
  }),
  /** Friends by nickname. What the stream `events` says of presence is newer than `online` here. */
  friends: unary({
    output: z.array(z.object({ ...Person.shape, online: z.boolean() })),
    idempotent: true,
  }),
  /** Conversations, the one with the newest message first, in pages: ask again with `after: next` until `next` is null. */
  conversations: unary({
    input: z.object({ after: ConversationCursor.optional() }),
    output: z.object({
      conversations: z.array(Conversation),
      /** People named in the conversations, so that each has a face. */
      people: z.array(Person),
      next: ConversationCursor.nullable(),
    }),
    idempotent: true,
  }),
  openDirect: unary({
    input: z.object({ friendId: UserId }),
    output: Conversation,
    errors: { NOT_FRIENDS: z.object({}) },
    idempotent: true,
  }),
  /** See the contract `conversations`: safe to repeat with the same `clientId`. */
  send: unary({ input: Draft, output: Message, errors: sendErrors, idempotent: true }),
  messages: unary({
    input: MessageRange,
    output: z.array(Message),
    errors: memberErrors,
    idempotent: true,
  }),
  acknowledge: unary({ input: Progress, output: Receipt, errors: memberErrors, idempotent: true }),
  /**
   * Events for this user: `ready`, the presence of every friend, then whatever happens. A client that falls
   * more than 256 events behind is cut off with `RESOURCE_EXHAUSTED` and pulls by sequence; a session that
   * was ended is cut off with `UNAUTHENTICATED`.
   */
  events: serverStream({ output: ChatEvent }),
})
