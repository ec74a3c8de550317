import type { Log } from 'covey'
import type { FriendRequest, Person } from '../contracts/people.ts'
import { query } from '../storage/query.ts'
import { Store } from '../storage/store.ts'

interface RequestRow {
  id: string
  fromId: string
  toId: string
  note: string
  state: FriendRequest['state']
  sentAtMs: number
}

interface FoundRow extends Person {
  isSelf: 0 | 1
  isFriend: 0 | 1
  requestFrom: string | null
}

interface SessionRow extends Person {
  sessionId: string
  renewedAtMs: number
  expiresAtMs: number
}

interface IncomingRow extends Omit<RequestRow, 'toId'> {
  fromUsername: string
  fromNickname: string
}

/** The statements of `queries.sql`. */
const userQueries = {
  insertUser: query<{
    id: string
    username: string
    nickname: string
    nicknameFolded: string
    passwordHash: string
    nowMs: number
  }>(),
  usernameTaken: query<{ username: string }, { taken: 1 }>(),
  account: query<{ username: string }, Person & { passwordHash: string }>(),
  setPasswordHash: query<{ id: string; oldHash: string; passwordHash: string }>(),
  person: query<{ id: string }, Person>(),
  people: query<{ ids: string }, Person>(),
  findPeople: query<{ askerId: string; text: string; limit: number }, FoundRow>(),
  insertSession: query<{
    id: string
    tokenHash: Uint8Array
    userId: string
    nowMs: number
    expiresAtMs: number
  }>(),
  session: query<{ tokenHash: Uint8Array; nowMs: number }, SessionRow>(),
  renewSession: query<{ id: string; nowMs: number; expiresAtMs: number }>(),
  liveSessions: query<{ ids: string; nowMs: number }, { id: string }>(),
  deleteSession: query<{ tokenHash: Uint8Array }, { id: string }>(),
  deleteExpiredSessions: query<{ nowMs: number }>(),
  deleteOldSessions: query<{ userId: string; keep: number }>(),
  areFriends: query<{ a: string; b: string }, { friends: 1 }>(),
  friends: query<{ userId: string }, Person>(),
  countFriends: query<{ userId: string }, { count: number }>(),
  insertFriendship: query<{ userId: string; friendId: string; nowMs: number }>(),
  insertRequest: query<{ id: string; fromId: string; toId: string; note: string; nowMs: number }>(),
  openRequestBetween: query<{ a: string; b: string }, RequestRow>(),
  request: query<{ id: string }, RequestRow>(),
  openRequestsTo: query<{ userId: string; limit: number }, IncomingRow>(),
  countOpenRequestsFrom: query<{ userId: string }, { count: number }>(),
  answerRequest: query<{ id: string; state: FriendRequest['state']; nowMs: number }>(),
}

/** The database of the user service. */
export type UserDatabase = Store<typeof userQueries>

/**
 * Opens the database of the user service.
 * @param path relative to the working directory
 * @throws CoveyError `START_FAILED` if the file cannot be opened
 */
export function openUserDatabase(path: string, log: Log): UserDatabase {
  return new Store({ path, folder: new URL('./', import.meta.url), queries: userQueries, log })
}
