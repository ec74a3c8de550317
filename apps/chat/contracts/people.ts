import { z } from 'zod'
import { isWellFormed, notWellFormed } from './well-formed.ts'

/** Id of a user: a prefix and a random part, never reused. */
export const UserId = z.string().regex(/^u_[A-Za-z0-9_-]{8,40}$/)

/** The name somebody logs in with: unique, kept in lower case. */
export const Username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._-]{2,31}$/, '3 to 32 letters, digits, dots, dashes or underscores')

/** What somebody types as username to log in. Wider than {@link Username}: a name that cannot exist is only wrong. */
export const LoginName = z.string().trim().toLowerCase().max(64)

// Controls, line separators and marks that turn the direction of the text around them.
const unfitForNames = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u
// What is drawn as nothing: two names that look the same would be two people. Joiners stay, emoji and Persian need them.
const unseenInNames =
  /[\u00AD\u115F\u1160\u180E\u200B\u2060-\u2065\u206A-\u206F\u2800\u3164\uFEFF\uFFA0]/u
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u

/** The name others see. */
export const Nickname = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(40, 'at most 40 characters')
  .refine(isWellFormed, notWellFormed)
  .refine((text) => !unfitForNames.test(text), 'must not have control characters')
  .refine((text) => !unseenInNames.test(text), 'must not have invisible characters')
  .refine((text) => visible.test(text), 'must have a visible character')

/** A new password. What counts is the text in the form NFKC, so that every keyboard gives the same. */
export const Password = z
  .string()
  .min(8, 'at least 8 characters')
  .max(200, 'at most 200 characters')
  .refine(isWellFormed, notWellFormed)

/** What goes with a request to be friends. */
export const Note = z
  .string()
  .trim()
  .max(200, 'at most 200 characters')
  .refine(isWellFormed, notWellFormed)

/** What somebody looks for among people. */
export const SearchText = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(40, 'at most 40 characters')
  .refine(isWellFormed, notWellFormed)

/** What anybody may know of a user. */
export const Person = z.object({ id: UserId, username: z.string(), nickname: z.string() })
export type Person = z.infer<typeof Person>

/** A request to be friends, as both sides see it. */
export const FriendRequest = z.object({
  id: z.string(),
  from: Person,
  to: Person,
  /** Empty when none was given. */
  note: z.string(),
  sentAtMs: z.number(),
  /** `accepted` at once when the other side had asked first. */
  state: z.enum(['open', 'accepted', 'refused']),
})
export type FriendRequest = z.infer<typeof FriendRequest>

/** What an asker already is to a found person. */
export const Relation = z.enum(['none', 'self', 'friend', 'requested', 'asking'])
export type Relation = z.infer<typeof Relation>

export const FoundPerson = z.object({ ...Person.shape, relation: Relation })
export type FoundPerson = z.infer<typeof FoundPerson>

/** Errors of asking for friendship. */
export const requestErrors = {
  ALREADY_FRIENDS: z.object({}),
  ALREADY_REQUESTED: z.object({}),
  NO_SUCH_USER: z.object({ id: z.string() }),
  NOT_YOURSELF: z.object({}),
}

/** Errors of answering a request: it is of others, unknown, or was answered otherwise. */
export const answerErrors = { REQUEST_GONE: z.object({ id: z.string() }) }
