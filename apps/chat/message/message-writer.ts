import type { Clock } from 'covey'
import type { Message, Receipt } from '../contracts/messages.ts'
import type { MessageDatabase } from './message-database.ts'

/** A message to be stored. */
export interface NewMessage {
  conversationId: string
  senderId: string
  clientId: string
  text: string
}

/** How far a member wants its receipt to be. */
export interface NewProgress {
  conversationId: string
  userId: string
  deliveredSeq?: number | undefined
  readSeq?: number | undefined
}

/** What a commit did. */
export type AppendOutcome =
  | { readonly is: 'not a member' }
  /** The client id was used before; `message` is what it stands for. */
  | { readonly is: 'known'; readonly message: Message }
  /** `receipt` is set when sending moved the sender's receipt over messages of others. */
  | { readonly is: 'stored'; readonly message: Message; readonly receipt: Receipt | undefined }

/**
 * Stores a message with the next sequence of its conversation, all in the transaction of the caller. Since
 * transactions come one after another, the sequence has neither gap nor double.
 */
export function appendMessage(
  { queries }: MessageDatabase,
  clock: Clock,
  draft: NewMessage,
): AppendOutcome {
  const { conversationId, senderId, clientId, text } = draft
  const known = queries.messageByClientId.get({ senderId, clientId })
  if (known !== undefined) return { is: 'known', message: known }
  const before = queries.membership.get({ conversationId, userId: senderId })
  if (before === undefined) return { is: 'not a member' }
  const seq = before.lastSeq + 1
  // The clock of the machine may be set back; the order of times stays the order of messages.
  const sentAtMs = Math.max(clock.wallMs(), before.lastAtMs)
  const message: Message = { conversationId, seq, senderId, clientId, text, sentAtMs }
  queries.insertMessage.run({ conversationId, seq, senderId, clientId, text, sentAtMs })
  queries.advanceConversation.run({ conversationId, seq, sentAtMs })
  const receipt = { conversationId, userId: senderId, deliveredSeq: seq, readSeq: seq }
  queries.setReceipt.run(receipt)
  return { is: 'stored', message, receipt: before.readSeq < seq - 1 ? receipt : undefined }
}

/** A member's receipt after somebody said how far it is, and whether that moved it. */
export interface ProgressOutcome {
  readonly receipt: Receipt
  readonly moved: boolean
}

/** Where a receipt would be now, or undefined for who is not a member. Writes nothing. */
export function planProgress(
  { queries }: MessageDatabase,
  { conversationId, userId, deliveredSeq = 0, readSeq = 0 }: NewProgress,
): ProgressOutcome | undefined {
  const now = queries.membership.get({ conversationId, userId })
  if (now === undefined) return undefined
  const forward = (from: number, to: number) => Math.max(from, Math.min(to, now.lastSeq))
  const receipt = {
    conversationId,
    userId,
    deliveredSeq: forward(now.deliveredSeq, Math.max(deliveredSeq, readSeq)),
    readSeq: forward(now.readSeq, readSeq),
  }
  const moved = receipt.deliveredSeq > now.deliveredSeq || receipt.readSeq > now.readSeq
  return { receipt, moved }
}
