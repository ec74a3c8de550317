import { defineContract, unary } from 'covey'
import { z } from 'zod'
import {
  FoundPerson,
  FriendRequest,
  Nickname,
  Password,
  Person,
  UserId,
  Username,
} from './people.ts'

/** A session; the token is shown once and kept only as a hash. */
const Session = z.object({ token: z.string(), expiresAtMs: z.number(), user: Person })

/** Accounts, sessions, friends and requests. The user service owns this. */
export const users = defineContract('users', {
  register: unary({
    input: z.object({ username: Username, password: Password, nickname: Nickname }),
    output: Session,
    errors: { USERNAME_TAKEN: z.object({ username: z.string() }) },
  }),
  logIn: unary({
    input: z.object({ username: Username, password: z.string().max(200) }),
    output: Session,
    /** The same for an unknown name and a wrong password, in the same time. */
    errors: { WRONG_LOGIN: z.object({}), TOO_MANY_TRIES: z.object({ retryAfterMs: z.number() }) },
  }),
  /** Who a session token belongs to. `UNAUTHENTICATED` when it is unknown, expired or revoked. */
  whoIs: unary({ input: z.object({ token: z.string() }), output: Person, idempotent: true }),
  logOut: unary({ input: z.object({ token: z.string() }), idempotent: true }),
  get: unary({
    input: z.object({ ids: z.array(UserId).max(200) }),
    output: z.array(Person),
    idempotent: true,
  }),
  /** Users whose username or nickname contains the text, without regard to case; at most 20. */
  find: unary({
    input: z.object({ askerId: UserId, text: z.string().trim().min(1).max(40) }),
    output: z.array(FoundPerson),
    idempotent: true,
  }),
  /** Asks for friendship. A request the other way round that is open counts as accepted. */
  requestFriend: unary({
    input: z.object({ fromId: UserId, toId: UserId, note: z.string().trim().max(200) }),
    output: FriendRequest,
    errors: {
      ALREADY_FRIENDS: z.object({}),
      ALREADY_REQUESTED: z.object({}),
      NO_SUCH_USER: z.object({ id: z.string() }),
      NOT_YOURSELF: z.object({}),
    },
  }),
  /** Open requests to this user, newest first. */
  requestsTo: unary({
    input: z.object({ userId: UserId }),
    output: z.array(FriendRequest),
    idempotent: true,
  }),
  answerRequest: unary({
    input: z.object({ userId: UserId, requestId: z.string(), accept: z.boolean() }),
    output: FriendRequest,
    errors: { REQUEST_GONE: z.object({ id: z.string() }) },
  }),
  friends: unary({
    input: z.object({ userId: UserId }),
    output: z.array(Person),
    idempotent: true,
  }),
  areFriends: unary({
    input: z.object({ a: UserId, b: UserId }),
    output: z.boolean(),
    idempotent: true,
  }),
})
