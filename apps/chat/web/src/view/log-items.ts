import type { Message } from '../../../contracts/messages.ts'
import type { ConversationState, Outgoing } from '../core/chat-state.ts'
import { progressOf } from '../core/conversation.ts'
import type { Mark } from './ticks.tsx'
import { dayHeading, sameDay } from './times.ts'

/** One line of a history as it is drawn. */
export type LogItem =
  | { readonly kind: 'day'; readonly key: string; readonly text: string }
  | { readonly kind: 'unread'; readonly key: string }
  | MessageItem

/** A message with all that its bubble shows. */
export interface MessageItem {
  readonly kind: 'message'
  /** The same before and after the server has confirmed it. */
  readonly key: string
  readonly clientId: string
  readonly senderId: string
  /** 0 until the server has given it its place. */
  readonly seq: number
  readonly text: string
  readonly timeMs: number
  /** How far it has come, when it is an own message. */
  readonly mark: Mark | undefined
  /** Why it was not sent; empty when it was, or still may be. */
  readonly reason: string
  /** First and last of a group: messages of one person in a short time. */
  readonly first: boolean
  readonly last: boolean
}

/** Time within which messages of one person are one group, in milliseconds. */
const groupMs = 5 * 60_000

/**
 * Lines of a history: days, the place where the unread begins, and messages in groups.
 * @param unreadFrom sequence of the first message that was unread when the chat was opened; 0 for none
 */
export function logItems(
  conversation: ConversationState,
  outgoing: readonly Outgoing[],
  myId: string,
  unreadFrom: number,
  nowMs: number,
): LogItem[] {
  const stored = (conversation.timeline?.messages ?? []).map((message) =>
    storedItem(message, conversation, myId),
  )
  const messages = [...stored, ...outgoing.map((message) => outgoingItem(message, myId))]
  const items: LogItem[] = []
  messages.forEach((message, index) => {
    const before = messages[index - 1]
    const after = messages[index + 1]
    if (before === undefined || !sameDay(before.timeMs, message.timeMs)) {
      const text = dayHeading(message.timeMs, nowMs)
      items.push({ kind: 'day', key: `day of ${message.key}`, text })
    }
    const marks = message.seq === unreadFrom && unreadFrom > 0
    if (marks) items.push({ kind: 'unread', key: 'unread' })
    const first = marks || before === undefined || !together(before, message)
    const last =
      after === undefined ||
      !together(message, after) ||
      (unreadFrom > 0 && after.seq === unreadFrom)
    items.push({ ...message, first, last })
  })
  return items
}

type Ungrouped = Omit<MessageItem, 'first' | 'last'>

function storedItem(message: Message, conversation: ConversationState, myId: string): Ungrouped {
  const { clientId, senderId, seq, sentAtMs, text } = message
  const own = senderId === myId
  return {
    kind: 'message',
    key: own ? `own ${clientId}` : `${seq}`,
    clientId,
    senderId,
    seq,
    text,
    timeMs: sentAtMs,
    mark: own ? progressOf(conversation, message, myId) : undefined,
    reason: '',
  }
}

function outgoingItem(message: Outgoing, myId: string): Ungrouped {
  const { clientId, createdAtMs, reason, stage, text } = message
  return {
    kind: 'message',
    key: `own ${clientId}`,
    clientId,
    senderId: myId,
    seq: 0,
    text,
    timeMs: createdAtMs,
    mark: stage === 'waiting' ? 'sending' : stage,
    reason,
  }
}

function together(a: Ungrouped, b: Ungrouped): boolean {
  return (
    a.senderId === b.senderId &&
    Math.abs(b.timeMs - a.timeMs) < groupMs &&
    sameDay(a.timeMs, b.timeMs)
  )
}
