import { type Clock, CoveyError, type Handlers } from 'covey'
import { type RandomBytes, randomId } from '../base/random-bytes.ts'
import type { FriendRequest, Person } from '../contracts/people.ts'
import type { users } from '../contracts/users.ts'
import type { PushEvent } from '../push/push-event.ts'
import type { UserDatabase } from './user-database.ts'

/** What friendships need. */
export interface FriendOptions {
  database: UserDatabase
  push: PushEvent
  clock: Clock
  random: RandomBytes
  /** Friends of one user. */
  maxFriends: number
  /** Requests of one user that wait for an answer. */
  maxOpenRequests: number
}

type UserHandlers = Handlers<(typeof users)['methods']>
type FriendMethods = 'requestFriend' | 'requestsTo' | 'answerRequest' | 'friends' | 'areFriends'

const maxListed = 200

/** Friends and requests of the contract `users`. */
export function friendHandlers(options: FriendOptions): Pick<UserHandlers, FriendMethods> {
  const { database, push } = options
  const { queries } = database
  return {
    async requestFriend({ fromId, toId, note }, call) {
      const request = await database.commit(() => {
        if (fromId === toId) throw call.error('NOT_YOURSELF', {})
        const from = queries.person.get({ id: fromId })
        const to = queries.person.get({ id: toId })
        if (from === undefined) throw call.error('NO_SUCH_USER', { id: fromId })
        if (to === undefined) throw call.error('NO_SUCH_USER', { id: toId })
        if (queries.areFriends.get({ a: fromId, b: toId })) throw call.error('ALREADY_FRIENDS', {})
        const open = queries.openRequestBetween.get({ a: fromId, b: toId })
        if (open?.fromId === fromId) throw call.error('ALREADY_REQUESTED', {})
        if (open !== undefined) return accept(options, toRequest(open, to, from))
        return insertRequest(options, { from, to, note })
      })
      if (request.state === 'open') push([toId], { type: 'friendRequest', request })
      else pushAnswer(push, request)
      return request
    },

    async answerRequest({ userId, requestId, accept: accepted }, call) {
      const { request, changed } = await database.commit(() => {
        const gone = () => call.error('REQUEST_GONE', { id: requestId })
        const row = queries.request.get({ id: requestId })
        // A request to somebody else looks like none at all.
        if (row === undefined || row.toId !== userId) throw gone()
        const request = toRequest(row, personOf(database, row.fromId), personOf(database, userId))
        if (row.state === 'open') {
          const answered = accepted ? accept(options, request) : refuse(options, request)
          return { request: answered, changed: true }
        }
        if (row.state !== (accepted ? 'accepted' : 'refused')) throw gone()
        return { request, changed: false }
      })
      if (changed) pushAnswer(push, request)
      return request
    },

    requestsTo({ userId }) {
      const to = queries.person.get({ id: userId })
      if (to === undefined) return []
      return queries.openRequestsTo.all({ userId, limit: maxListed }).map((row) => {
        const from = { id: row.fromId, username: row.fromUsername, nickname: row.fromNickname }
        return toRequest(row, from, to)
      })
    },

    friends: ({ userId }) => queries.friends.all({ userId }),
    areFriends: ({ a, b }) => queries.areFriends.get({ a, b }) !== undefined,
  }
}

function insertRequest(
  { database, clock, random, maxOpenRequests }: FriendOptions,
  { from, to, note }: { from: Person; to: Person; note: string },
): FriendRequest {
  const { queries } = database
  const waiting = queries.countOpenRequestsFrom.get({ userId: from.id })
  if (waiting !== undefined && waiting.count >= maxOpenRequests) {
    throw new CoveyError(
      'FAILED_PRECONDITION',
      `${maxOpenRequests} of your requests wait for an answer; wait for some of them`,
      { details: { rule: 'open requests', max: maxOpenRequests } },
    )
  }
  const nowMs = clock.wallMs()
  const id = randomId('r', random)
  queries.insertRequest.run({ id, fromId: from.id, toId: to.id, note, nowMs })
  return { id, from, to, note, sentAtMs: nowMs, state: 'open' }
}

/** Both rows of the friendship and the state of the request, all in the transaction of the caller. */
function accept(options: FriendOptions, request: FriendRequest): FriendRequest {
  const { database, clock } = options
  const nowMs = clock.wallMs()
  const [a, b] = [request.from.id, request.to.id]
  for (const userId of [a, b]) requireRoom(options, userId)
  database.queries.insertFriendship.run({ userId: a, friendId: b, nowMs })
  database.queries.insertFriendship.run({ userId: b, friendId: a, nowMs })
  database.queries.answerRequest.run({ id: request.id, state: 'accepted', nowMs })
  return { ...request, state: 'accepted' }
}

function refuse({ database, clock }: FriendOptions, request: FriendRequest): FriendRequest {
  const nowMs = clock.wallMs()
  database.queries.answerRequest.run({ id: request.id, state: 'refused', nowMs })
  return { ...request, state: 'refused' }
}

function requireRoom({ database, maxFriends }: FriendOptions, userId: string): void {
  const friends = database.queries.countFriends.get({ userId })
  if (friends === undefined || friends.count < maxFriends) return
  throw new CoveyError('FAILED_PRECONDITION', `one of the two has ${maxFriends} friends already`, {
    details: { rule: 'friends', max: maxFriends },
  })
}

/** Tells both sides, on all their devices. */
function pushAnswer(push: PushEvent, request: FriendRequest): void {
  const { from, to, state } = request
  push([from.id, to.id], { type: 'requestAnswered', request })
  if (state !== 'accepted') return
  push([from.id], { type: 'friendAdded', friend: to })
  push([to.id], { type: 'friendAdded', friend: from })
}

function personOf(database: UserDatabase, id: string): Person {
  const person = database.queries.person.get({ id })
  if (person === undefined) throw new Error(`user ${id} of a request is gone`)
  return person
}

interface RequestParts {
  id: string
  note: string
  state: FriendRequest['state']
  sentAtMs: number
}

function toRequest(parts: RequestParts, from: Person, to: Person): FriendRequest {
  const { id, note, state, sentAtMs } = parts
  return { id, from, to, note, sentAtMs, state }
}
