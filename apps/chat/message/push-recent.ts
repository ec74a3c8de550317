import type { Clock, Log } from 'covey'
import type { PushEvent } from '../push/push-event.ts'
import { ConversationReader } from './conversation-reader.ts'
import type { MessageDatabase } from './message-database.ts'

const maxMessages = 1_000

/**
 * Pushes young messages once more, at the start of the service: an earlier life may have been killed behind a
 * commit and before its push. Who has a message already knows it by its sequence.
 */
export function pushRecent(
  {
    database,
    push,
    clock,
    log,
  }: { database: MessageDatabase; push: PushEvent; clock: Clock; log: Log },
  youngMs: number,
): void {
  const reader = new ConversationReader(database)
  const sinceMs = clock.wallMs() - youngMs
  const messages = database.queries.recentMessages.all({ limit: maxMessages, sinceMs })
  for (const message of messages) {
    push(reader.memberIds(message.conversationId), { type: 'message', message })
  }
  if (messages.length > 0) log.info({ messages: messages.length }, 'pushed young messages again')
}
