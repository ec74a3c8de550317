import { z } from 'zod'

/** Id of a user: a prefix and a random part, never reused. */
export const UserId = z.string().regex(/^u_[A-Za-z0-9_-]{8,40}$/)

/** The name somebody logs in with: unique, kept in lower case. */
export const Username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._-]{2,31}$/, '3 to 32 letters, digits, dots, dashes or underscores')

/** The name others see. */
export const Nickname = z.string().trim().min(1, 'must not be empty').max(40)

export const Password = z.string().min(8, 'at least 8 characters').max(200)

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
})
export type FriendRequest = z.infer<typeof FriendRequest>

/** What an asker already is to a found person. */
export const Relation = z.enum(['none', 'self', 'friend', 'requested', 'asking'])
export type Relation = z.infer<typeof Relation>

export const FoundPerson = z.object({ ...Person.shape, relation: Relation })
export type FoundPerson = z.infer<typeof FoundPerson>
