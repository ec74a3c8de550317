import type { Message, Receipt } from '../../../contracts/messages.ts'
import type { FoundPerson, FriendRequest, Person } from '../../../contracts/people.ts'
import type { Timeline } from './timeline.ts'

/** How the page reaches the server. */
export type Connection =
  /** The first connection is being made. */
  | { readonly kind: 'starting' }
  /** Events flow. */
  | { readonly kind: 'online' }
  /** The connection broke; `retryAtMs` is wall-clock time, undefined while a try is running. */
  | { readonly kind: 'reconnecting'; readonly retryAtMs: number | undefined }

/** A message that the server has not confirmed yet, as it is shown at once. */
export interface Outgoing {
  readonly conversationId: string
  readonly clientId: string
  readonly text: string
  readonly createdAtMs: number
  /** `stored`: confirmed, but messages before it are not here yet. */
  readonly stage: 'waiting' | 'stored' | 'failed'
  /** Why it failed, as a sentence; empty otherwise. */
  readonly reason: string
}

/** A conversation with what is loaded of it. */
export interface ConversationState {
  readonly id: string
  readonly memberIds: readonly string[]
  /** Sequence of the newest message that is known to exist. */
  readonly lastSeq: number
  readonly lastMessage: Message | null
  /** By user id. */
  readonly receipts: ReadonlyMap<string, Receipt>
  /** Undefined until its newest page was loaded. */
  readonly timeline: Timeline | undefined
  /** Where loading of older messages stands. */
  readonly older: 'idle' | 'loading' | 'failed'
}

/** What is shown beside the lists. */
export type Selection =
  | { readonly kind: 'none' }
  /** The conversation with this friend is being opened; `problem` says why it was not. */
  | { readonly kind: 'opening'; readonly friendId: string; readonly problem: string }
  | { readonly kind: 'conversation'; readonly id: string }

/** What "Find people" shows. */
export type Search =
  | { readonly kind: 'none' }
  | { readonly kind: 'searching'; readonly text: string }
  | { readonly kind: 'found'; readonly text: string; readonly people: readonly FoundPerson[] }
  | { readonly kind: 'failed'; readonly text: string; readonly problem: string }

/** Everything the page knows while somebody is logged in. */
export interface ChatState {
  readonly me: Person
  readonly connection: Connection
  /** The device says that it has no network. */
  readonly deviceOffline: boolean
  /** The server answers, but a part of it does not; work is kept and tried again. */
  readonly struggling: boolean
  readonly people: ReadonlyMap<string, Person>
  /** Undefined until they were loaded; so are requests and conversations. */
  readonly friends: readonly Person[] | undefined
  /** By user id; a missing entry is nobody we watch. */
  readonly online: ReadonlyMap<string, boolean>
  readonly requests: readonly FriendRequest[] | undefined
  /** Who has refused to be a friend while this page was open, the newest first; until one has read it. */
  readonly refusals: readonly Person[]
  readonly conversations: ReadonlyMap<string, ConversationState> | undefined
  /** By conversation, in the order they were written. */
  readonly outgoing: ReadonlyMap<string, readonly Outgoing[]>
  readonly selection: Selection
  readonly search: Search
}

/** The state right after login. */
export function initialState(me: Person): ChatState {
  return {
    me,
    connection: { kind: 'starting' },
    deviceOffline: false,
    struggling: false,
    people: new Map([[me.id, me]]),
    friends: undefined,
    online: new Map(),
    requests: undefined,
    refusals: [],
    conversations: undefined,
    outgoing: new Map(),
    selection: { kind: 'none' },
    search: { kind: 'none' },
  }
}
