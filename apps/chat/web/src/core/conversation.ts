import type { Conversation, Message, Receipt } from '../../../contracts/messages.ts'
import type { ConversationState } from './chat-state.ts'
import { endOf, extend } from './timeline.ts'

/** How far an own message has come. */
export type Progress = 'stored' | 'delivered' | 'read'

/**
 * Joins what the server says of a conversation with what is known of it. Sequences and receipts only
 * grow, so an answer that was overtaken by a push changes nothing.
 */
export function mergeConversation(
  known: ConversationState | undefined,
  server: Conversation,
): ConversationState {
  const start: ConversationState = known ?? {
    id: server.id,
    memberIds: server.memberIds,
    lastSeq: 0,
    lastMessage: null,
    receipts: new Map(),
    timeline: undefined,
    older: 'idle',
  }
  const newer = server.lastSeq > start.lastSeq
  const merged: ConversationState = {
    ...start,
    memberIds: server.memberIds,
    lastSeq: newer ? server.lastSeq : start.lastSeq,
    lastMessage: newer ? server.lastMessage : start.lastMessage,
  }
  return server.receipts.reduce(withReceipt, merged)
}

/**
 * Adds messages of this conversation, in any order. Whoever wrote one has read what is above it.
 * Returns the same object when nothing is new.
 */
export function withMessages(
  conversation: ConversationState,
  messages: readonly Message[],
): ConversationState {
  let next = conversation
  for (const message of messages) {
    if (message.seq > next.lastSeq) {
      next = { ...next, lastSeq: message.seq, lastMessage: message }
    }
    next = withReceipt(next, receiptOfSender(message))
  }
  if (next.timeline === undefined) return next
  const timeline = extend(next.timeline, messages)
  return timeline === next.timeline ? next : { ...next, timeline }
}

/** Moves a receipt forward; it never goes back. */
export function withReceipt(conversation: ConversationState, receipt: Receipt): ConversationState {
  const known = conversation.receipts.get(receipt.userId)
  const readSeq = Math.max(known?.readSeq ?? 0, receipt.readSeq)
  const deliveredSeq = Math.max(known?.deliveredSeq ?? 0, receipt.deliveredSeq, readSeq)
  if (known?.readSeq === readSeq && known.deliveredSeq === deliveredSeq) return conversation
  const receipts = new Map(conversation.receipts)
  receipts.set(receipt.userId, { ...receipt, deliveredSeq, readSeq })
  return { ...conversation, receipts }
}

function receiptOfSender({ conversationId, senderId, seq }: Message): Receipt {
  return { conversationId, userId: senderId, deliveredSeq: seq, readSeq: seq }
}

/** Sequences the server still has and this page does not: 0 when the loaded part is whole. */
export function missingAtEnd(conversation: ConversationState): number {
  const { timeline, lastSeq } = conversation
  return timeline === undefined ? lastSeq : lastSeq - endOf(timeline)
}

/** Messages that were not read; whoever writes has read what is above, so own ones never count. */
export function unreadOf({ lastSeq, receipts }: ConversationState, myId: string): number {
  return Math.max(0, lastSeq - (receipts.get(myId)?.readSeq ?? 0))
}

/** The other member of a direct conversation. */
export function peerOf(conversation: ConversationState, myId: string): string {
  return conversation.memberIds.find((id) => id !== myId) ?? myId
}

/** How far an own message has come: with every other member at least this far. */
export function progressOf(
  conversation: ConversationState,
  message: Message,
  myId: string,
): Progress {
  const others = conversation.memberIds.filter((id) => id !== myId)
  const reached = (field: 'deliveredSeq' | 'readSeq') =>
    others.every((id) => (conversation.receipts.get(id)?.[field] ?? 0) >= message.seq)
  if (reached('readSeq')) return 'read'
  return reached('deliveredSeq') ? 'delivered' : 'stored'
}
