import { defineContract, unary } from 'covey'
import { z } from 'zod'
import {
  answerErrors,
  FoundPerson,
  FriendRequest,
  LoginName,
  Nickname,
  Note,
  Password,
  Person,
  requestErrors,
  SearchText,
  UserId,
  Username,
} from './people.ts'

/** A session that has begun; the token is shown once and kept only as a hash. */
const NewSession = z.object({
  token: z.string(),
  sessionId: z.string(),
  expiresAtMs: z.number(),
  user: Person,
})

/** A session and its user, without the secret. */
const Session = z.object({ sessionId: z.string(), expiresAtMs: z.number(), user: Person })

const Token = z.string().max(200)

/** Accounts, sessions, friends and requests. The user service owns this. */
export const users = defineContract('users', {
  register: unary({
    input: z.object({ username: Username, password: Password, nickname: Nickname }),
    output: NewSession,
    errors: { USERNAME_TAKEN: z.object({ username: z.string() }) },
  }),
  logIn: unary({
    input: z.object({ username: LoginName, password: z.string().max(200) }),
    output: NewSession,
    /** The same for an unknown name and a wrong password, in the same time. */
    errors: { WRONG_LOGIN: z.object({}), TOO_MANY_TRIES: z.object({ retryAfterMs: z.number() }) },
  }),
  /**
   * Whose session a token is. Using it moves its end on, at most once a day. `UNAUTHENTICATED` when it is
   * unknown, expired or revoked.
   */
  whoIs: unary({ input: z.object({ token: Token }), output: Session, idempotent: true }),
  /** Which of these sessions still hold. */
  liveSessions: unary({
    input: z.object({ sessionIds: z.array(z.string().max(64)).max(1_000) }),
    output: z.array(z.string()),
    idempotent: true,
  }),
  /** Ends a session for ever; null when there was none. */
  logOut: unary({
    input: z.object({ token: Token }),
    output: z.object({ sessionId: z.string().nullable() }),
    idempotent: true,
  }),
  get: unary({
    input: z.object({ ids: z.array(UserId).max(200) }),
    output: z.array(Person),
    idempotent: true,
  }),
  /** Users whose username or nickname contains the text, without regard to case; at most 20. */
  find: unary({
    input: z.object({ askerId: UserId, text: SearchText }),
    output: z.array(FoundPerson),
    idempotent: true,
  }),
  /** Asks for friendship. A request the other way round that is open counts as accepted. */
  requestFriend: unary({
    input: z.object({ fromId: UserId, toId: UserId, note: Note }),
    output: FriendRequest,
    errors: requestErrors,
  }),
  /** Open requests to this user, newest first; at most 200. */
  requestsTo: unary({
    input: z.object({ userId: UserId }),
    output: z.array(FriendRequest),
    idempotent: true,
  }),
  /** Answers a request to this user. The same answer again returns the same. */
  answerRequest: unary({
    input: z.object({ userId: UserId, requestId: z.string().max(64), accept: z.boolean() }),
    output: FriendRequest,
    errors: answerErrors,
    idempotent: true,
  }),
  /** Friends by nickname. */
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
