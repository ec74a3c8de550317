import type { Log } from 'covey'
import type { Conversation, Message } from '../contracts/messages.ts'
import { query } from '../storage/query.ts'
import { Store } from '../storage/store.ts'

/** A conversation as its table has it. */
export interface ConversationRow {
  id: string
  kind: Conversation['kind']
  lastSeq: number
  lastAtMs: number
}

interface MembershipRow {
  lastSeq: number
  lastAtMs: number
  deliveredSeq: number
  readSeq: number
}

interface MemberRow {
  userId: string
  deliveredSeq: number
  readSeq: number
}

interface RangeArguments extends Record<string, string | number> {
  conversationId: string
  afterSeq: number
  beforeSeq: number
  limit: number
}

/** The statements of `queries.sql`. */
const messageQueries = {
  insertConversation: query<{ id: string; kind: Conversation['kind']; nowMs: number }>(),
  insertMember: query<{ conversationId: string; userId: string }>(),
  membership: query<{ conversationId: string; userId: string }, MembershipRow>(),
  members: query<{ conversationId: string }, MemberRow>(),
  conversation: query<{ id: string }, ConversationRow>(),
  conversationsOf: query<
    { userId: string; beforeMs: number; beforeId: string; limit: number },
    ConversationRow
  >(),
  messageByClientId: query<{ senderId: string; clientId: string }, Message>(),
  message: query<{ conversationId: string; seq: number }, Message>(),
  insertMessage: query<{
    conversationId: string
    seq: number
    senderId: string
    clientId: string
    text: string
    sentAtMs: number
  }>(),
  advanceConversation: query<{ conversationId: string; seq: number; sentAtMs: number }>(),
  setReceipt: query<{
    conversationId: string
    userId: string
    deliveredSeq: number
    readSeq: number
  }>(),
  newestMessages: query<RangeArguments, Message>(),
  oldestMessages: query<RangeArguments, Message>(),
  recentMessages: query<{ limit: number; sinceMs: number }, Message>(),
}

/** The database of the message service. */
export type MessageDatabase = Store<typeof messageQueries>

/**
 * Opens the database of the message service.
 * @param path relative to the working directory
 * @throws CoveyError `START_FAILED` if the file cannot be opened
 */
export function openMessageDatabase(path: string, log: Log): MessageDatabase {
  return new Store({ path, folder: new URL('./', import.meta.url), queries: messageQueries, log })
}
