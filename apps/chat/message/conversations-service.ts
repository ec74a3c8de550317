import { type Clock, defineService } from 'covey'
import { conversations } from '../contracts/conversations.ts'
import type { PushEvent } from '../push/push-event.ts'
import { ConversationReader } from './conversation-reader.ts'
import { directId } from './direct-id.ts'
import { type AreFriends, rememberFriends } from './friend-check.ts'
import type { MessageDatabase } from './message-database.ts'
import { planProgress } from './message-writer.ts'
import { sendHandler } from './send-handler.ts'
import type { MessageSettings } from './settings.ts'

/** What the message service needs. */
export interface ConversationsServiceOptions {
  database: MessageDatabase
  /** How connected members hear of messages and receipts. */
  push: PushEvent
  areFriends: AreFriends
  clock: Clock
  settings: Pick<MessageSettings, 'flood' | 'friendsCacheMs'>
}

/** The contract `conversations`. */
export function conversationsService(options: ConversationsServiceOptions) {
  const { database, push, clock, settings } = options
  const { queries } = database
  const reader = new ConversationReader(database)
  const areFriends = rememberFriends(options.areFriends, clock, settings.friendsCacheMs)
  const send = sendHandler({ database, push, areFriends, clock, flood: settings.flood })

  return defineService(conversations, {
    async openDirect({ userId, friendId }, call) {
      const id = directId(userId, friendId)
      const known = reader.find(id)
      if (known !== undefined) return known
      if (!(await areFriends(userId, friendId))) throw call.error('NOT_FRIENDS', {})
      return database.commit(() => {
        queries.insertConversation.run({ id, kind: 'direct', nowMs: clock.wallMs() })
        for (const member of [userId, friendId]) {
          queries.insertMember.run({ conversationId: id, userId: member })
        }
        return reader.find(id)!
      })
    },

    send,
    list: ({ userId, after }) => reader.list(userId, after),

    messages({ userId, ...range }, call) {
      const { conversationId } = range
      if (queries.membership.get({ conversationId, userId }) === undefined) {
        throw call.error('NOT_A_MEMBER', { conversationId })
      }
      return reader.messages(range)
    },

    async acknowledge(progress, call) {
      const { conversationId } = progress
      const gone = () => call.error('NOT_A_MEMBER', { conversationId })
      const planned = planProgress(database, progress)
      if (planned === undefined) throw gone()
      // Most of them say what is known already; those cost no write.
      if (!planned.moved) return planned.receipt
      const outcome = await database.commit(() => {
        const now = planProgress(database, progress)
        if (now?.moved) queries.setReceipt.run({ ...now.receipt })
        return now
      })
      if (outcome === undefined) throw gone()
      const { receipt, moved } = outcome
      if (moved) push(reader.memberIds(conversationId), { type: 'receipt', receipt })
      return receipt
    },
  })
}
