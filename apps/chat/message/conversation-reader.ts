import { CoveyError } from 'covey'
import type { Conversation, Message, Receipt } from '../contracts/messages.ts'
import type { ConversationRow, MessageDatabase } from './message-database.ts'
import { takePage } from './page.ts'

const maxListed = 100

/** One page of a user's conversations. */
export interface ConversationPage {
  conversations: Conversation[]
  /** Where the next page begins; null when this is the last. */
  next: string | null
}

/** Which messages of a conversation. */
export interface Range {
  conversationId: string
  afterSeq?: number | undefined
  beforeSeq?: number | undefined
  limit: number
}

/** Reads conversations as their members see them. Whether somebody is a member is asked before. */
export class ConversationReader {
  readonly #database: MessageDatabase

  constructor(database: MessageDatabase) {
    this.#database = database
  }

  /** A conversation, or undefined when there is none of this id. */
  find(id: string): Conversation | undefined {
    const row = this.#database.queries.conversation.get({ id })
    return row === undefined ? undefined : this.#toConversation(row)
  }

  memberIds(conversationId: string): string[] {
    return this.#database.queries.members.all({ conversationId }).map(({ userId }) => userId)
  }

  /**
   * Conversations of a user by activity, the newest first.
   * @throws CoveyError `INVALID_INPUT` if `after` is no cursor
   */
  list(userId: string, after: string | undefined): ConversationPage {
    const place = after === undefined ? fromTheTop : parseCursor(after)
    // One more than fits, to know whether there is a next page.
    const rows = this.#database.queries.conversationsOf.all({
      ...place,
      userId,
      limit: maxListed + 1,
    })
    const views = rows.map((row) => this.#toConversation(row))
    const page = takePage(views, maxListed, ({ lastMessage }) => lastMessage?.text ?? '')
    const last = rows[page.rows.length - 1]
    const next = page.full || last === undefined ? null : `${last.lastAtMs}_${last.id}`
    return { conversations: page.rows, next }
  }

  /** Messages between two sequences, ascending; see the contract for which. */
  messages({ conversationId, afterSeq, beforeSeq, limit }: Range): Message[] {
    const { oldestMessages, newestMessages } = this.#database.queries
    const range = {
      conversationId,
      afterSeq: afterSeq ?? 0,
      beforeSeq: beforeSeq ?? Number.MAX_SAFE_INTEGER,
      limit,
    }
    const upwards = afterSeq !== undefined
    const rows = upwards ? oldestMessages.iterate(range) : newestMessages.iterate(range)
    const page = takePage(rows, limit, ({ text }) => text).rows
    return upwards ? page : page.reverse()
  }

  #toConversation({ id, kind, lastSeq }: ConversationRow): Conversation {
    const { members, message } = this.#database.queries
    const receipts: Receipt[] = members
      .all({ conversationId: id })
      .map((member) => ({ conversationId: id, ...member }))
    const lastMessage =
      lastSeq === 0 ? undefined : message.get({ conversationId: id, seq: lastSeq })
    return {
      id,
      kind,
      memberIds: receipts.map(({ userId }) => userId),
      lastSeq,
      lastMessage: lastMessage ?? null,
      receipts,
    }
  }
}

const fromTheTop = { beforeMs: Number.MAX_SAFE_INTEGER, beforeId: '' }

function parseCursor(cursor: string): { beforeMs: number; beforeId: string } {
  const match = /^(\d{1,15})_(c_[\w-]+)$/.exec(cursor)
  if (match === null) throw new CoveyError('INVALID_INPUT', 'after: this is no cursor of a page')
  return { beforeMs: Number(match[1]), beforeId: match[2]! }
}
