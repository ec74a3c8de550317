import { type Client, type Clock, CoveyError, defineService, type Log, type Peer } from 'covey'
import { chat } from '../contracts/chat.ts'
import type { conversations } from '../contracts/conversations.ts'
import type { Person } from '../contracts/people.ts'
import type { presence } from '../contracts/presence.ts'
import type { ChatEvent } from '../contracts/push.ts'
import type { users } from '../contracts/users.ts'
import { type Caller, callerOf } from './caller.ts'
import type { Connections } from './connections.ts'
import { watchFriends } from './friend-watch.ts'
import type { PresenceAnnouncer } from './presence-announcer.ts'
import type { SessionWatch } from './session-watch.ts'

/** What the service for browsers needs. */
export interface ChatServiceOptions {
  users: Client<typeof users>
  conversations: Client<typeof conversations>
  presence: Client<typeof presence>
  connections: Connections
  announcer: Pick<PresenceAnnouncer, 'announced'>
  sessions: Pick<SessionWatch, 'requireLive'>
  clock: Clock
  log: Log
}

/** How long `ready` may wait for the presence service; without it the client pulls all the same. */
const announceLimitMs = 2_000
/** Most ids that the user service takes at once. */
const maxIds = 200

/** The contract `chat`: what browsers may ask. The user is always the one of the connection. */
export function chatService(options: ChatServiceOptions) {
  const { users, conversations, sessions } = options

  function caller({ peer }: { peer: Peer }): Caller {
    const who = callerOf(peer)
    sessions.requireLive(who.sessionId)
    return who
  }

  return defineService(chat, {
    async me(_, call) {
      const [me] = await users.get({ ids: [caller(call).userId] })
      if (me === undefined) throw new CoveyError('UNAUTHENTICATED', 'this account is gone')
      return me
    },
    findPeople: ({ text }, call) => users.find({ askerId: caller(call).userId, text }),
    requestFriend: ({ userId, note }, call) =>
      users.requestFriend({ fromId: caller(call).userId, toId: userId, note }),
    requests: (_, call) => users.requestsTo({ userId: caller(call).userId }),
    answerRequest: (answer, call) =>
      users.answerRequest({ ...answer, userId: caller(call).userId }),
    async friends(_, call) {
      const friends = await users.friends({ userId: caller(call).userId })
      const online = await whoIsOnline(options, friends)
      return friends.map((friend) => ({ ...friend, online: online.has(friend.id) }))
    },
    async conversations({ after }, call) {
      const { userId } = caller(call)
      const page = await conversations.list({ userId, after })
      const ids = new Set(page.conversations.flatMap(({ memberIds }) => memberIds))
      return { ...page, people: await people(options, [...ids]) }
    },
    openDirect: ({ friendId }, call) =>
      conversations.openDirect({ userId: caller(call).userId, friendId }),
    send: (draft, call) => conversations.send({ ...draft, senderId: caller(call).userId }),
    messages: (range, call) => conversations.messages({ ...range, userId: caller(call).userId }),
    acknowledge: (progress, call) =>
      conversations.acknowledge({ ...progress, userId: caller(call).userId }),
    events: (_, call) => events(options, caller(call), call.signal),
  })
}

/** Everything a user should know at once, for as long as the stream is read. */
async function* events(
  options: ChatServiceOptions,
  { userId, sessionId }: Caller,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const { users, presence, connections, announcer, clock } = options
  const listener = connections.open(userId, sessionId)
  const left = new AbortController()
  try {
    await announcer.announced(announceLimitMs)
    listener.queue.push({ type: 'ready' })
    const friends = watchFriends({
      userId,
      users,
      presence,
      tell: (change) => listener.queue.tellPresence(change),
      clock,
      signal: left.signal,
    })
    listener.onFriendAdded = () => friends.refresh()
    yield* listener.queue.read(signal)
  } finally {
    left.abort()
    connections.close(listener)
  }
}

/** Who of these is online; nobody when the presence service is away, since friends can be listed without it. */
async function whoIsOnline(
  { presence, log }: ChatServiceOptions,
  friends: readonly Person[],
): Promise<ReadonlySet<string>> {
  if (friends.length === 0) return new Set()
  try {
    return new Set(await presence.online({ userIds: friends.map(({ id }) => id) }))
  } catch (error) {
    const { code, message } = CoveyError.from(error)
    log.warn({ code, reason: message }, 'listed friends without their presence')
    return new Set()
  }
}

async function people({ users }: ChatServiceOptions, ids: readonly string[]): Promise<Person[]> {
  const found: Person[] = []
  for (let at = 0; at < ids.length; at += maxIds) {
    found.push(...(await users.get({ ids: ids.slice(at, at + maxIds) })))
  }
  return found
}
