import type { Clock, Handlers } from 'covey'
import { RateLimiter } from '../base/rate-limiter.ts'
import type { conversations } from '../contracts/conversations.ts'
import type { Message } from '../contracts/messages.ts'
import type { PushEvent } from '../push/push-event.ts'
import { ConversationReader } from './conversation-reader.ts'
import type { AreFriends } from './friend-check.ts'
import type { MessageDatabase } from './message-database.ts'
import { appendMessage, type NewMessage } from './message-writer.ts'
import type { MessageSettings } from './settings.ts'

/** What sending needs. */
export interface SendOptions {
  database: MessageDatabase
  push: PushEvent
  areFriends: AreFriends
  clock: Clock
  flood: MessageSettings['flood']
}

type SendHandler = Handlers<(typeof conversations)['methods']>['send']

/** `send` of the contract `conversations`: authorise, commit with the next sequence, push, answer. */
export function sendHandler(options: SendOptions): SendHandler {
  const { database, push, areFriends, clock } = options
  const { queries } = database
  const reader = new ConversationReader(database)
  const flood = new RateLimiter(options.flood, clock)

  function pushMessage(message: Message): void {
    push(reader.memberIds(message.conversationId), { type: 'message', message })
  }

  /** A lost acknowledgement often means a lost push, so the newest message is pushed with its resend again. */
  function pushAgain(message: Message): void {
    const { conversationId, seq, senderId } = message
    const newest = queries.conversation.get({ id: conversationId })?.lastSeq === seq
    if (newest && flood.take(senderId) === 0) pushMessage(message)
  }

  return async (draft, call) => {
    const { conversationId, senderId, clientId } = draft
    const resent = (message: Message) => {
      if (!isSame(message, draft)) throw call.error('CLIENT_ID_REUSED', { clientId })
      pushAgain(message)
      return message
    }
    // Before everything else: what was acknowledged once is acknowledged for ever.
    const known = queries.messageByClientId.get({ senderId, clientId })
    if (known !== undefined) return resent(known)
    if (queries.membership.get({ conversationId, userId: senderId }) === undefined) {
      throw call.error('NOT_A_MEMBER', { conversationId })
    }
    for (const other of reader.memberIds(conversationId)) {
      const allowed = other === senderId || (await areFriends(senderId, other))
      if (!allowed) throw call.error('NOT_FRIENDS', {})
    }
    const retryAfterMs = flood.take(senderId)
    if (retryAfterMs > 0) throw call.error('TOO_FAST', { retryAfterMs })
    const outcome = await database.commit(() => appendMessage(database, clock, draft))
    if (outcome.is === 'not a member') throw call.error('NOT_A_MEMBER', { conversationId })
    if (outcome.is === 'known') return resent(outcome.message)
    pushMessage(outcome.message)
    const { receipt } = outcome
    if (receipt) push(reader.memberIds(conversationId), { type: 'receipt', receipt })
    return outcome.message
  }
}

function isSame(message: Message, draft: NewMessage): boolean {
  return message.conversationId === draft.conversationId && message.text === draft.text
}
