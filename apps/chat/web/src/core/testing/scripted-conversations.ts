import { CoveyError } from 'covey/client'
import type { Conversation, Message, Receipt } from '../../../../contracts/messages.ts'

interface Log {
  readonly id: string
  readonly memberIds: readonly string[]
  readonly messages: Message[]
  readonly receipts: Map<string, Receipt>
}

/** Part of a history, as the contract asks for it. */
interface Range {
  readonly conversationId: string
  readonly beforeSeq?: number | undefined
  readonly afterSeq?: number | undefined
  readonly limit?: number | undefined
}

/** Conversations in memory, with the promises of the message service: sequences, client ids, receipts. */
export class ScriptedConversations {
  readonly #logs = new Map<string, Log>()
  #timeMs = 1_700_000_000_000

  open(id: string, memberIds: readonly string[]): void {
    this.#logs.set(id, { id, memberIds, messages: [], receipts: new Map() })
  }

  /** Stores a message, unless its sender has sent it before. */
  store(draft: Omit<Message, 'seq' | 'sentAtMs'>): { message: Message; fresh: boolean } {
    const { clientId, conversationId, senderId } = draft
    const log = this.#log(conversationId)
    const first = log.messages.find(
      (message) => message.senderId === senderId && message.clientId === clientId,
    )
    if (first !== undefined) return { message: first, fresh: false }
    const seq = log.messages.length + 1
    const message = { ...draft, seq, sentAtMs: this.#timeMs++ }
    log.messages.push(message)
    this.acknowledge(conversationId, senderId, { deliveredSeq: seq, readSeq: seq })
    return { message, fresh: true }
  }

  /** Moves a receipt forward. */
  acknowledge(
    id: string,
    userId: string,
    { deliveredSeq = 0, readSeq = 0 }: { deliveredSeq?: number; readSeq?: number },
  ): Receipt {
    const known = this.receipt(id, userId)
    const read = Math.max(known.readSeq, readSeq)
    const delivered = Math.max(known.deliveredSeq, deliveredSeq, read)
    const receipt = { conversationId: id, userId, deliveredSeq: delivered, readSeq: read }
    this.#log(id).receipts.set(userId, receipt)
    return receipt
  }

  receipt(id: string, userId: string): Receipt {
    const none = { conversationId: id, userId, deliveredSeq: 0, readSeq: 0 }
    return this.#log(id).receipts.get(userId) ?? none
  }

  history(id: string): readonly Message[] {
    return this.#log(id).messages
  }

  messages({ conversationId, beforeSeq, afterSeq, limit = 50 }: Range): Message[] {
    const all = this.#log(conversationId).messages.filter(
      ({ seq }) => seq > (afterSeq ?? 0) && seq < (beforeSeq ?? Number.POSITIVE_INFINITY),
    )
    return afterSeq === undefined ? all.slice(-limit) : all.slice(0, limit)
  }

  /** All of them, the one with the newest message first. */
  list(): Conversation[] {
    const newest = ({ messages }: Log) => messages.at(-1)?.sentAtMs ?? 0
    return [...this.#logs.values()]
      .sort((a, b) => newest(b) - newest(a))
      .map(({ id }) => this.get(id))
  }

  get(id: string): Conversation {
    const { memberIds, messages } = this.#log(id)
    return {
      id,
      kind: 'direct',
      memberIds: [...memberIds],
      lastSeq: messages.length,
      lastMessage: messages.at(-1) ?? null,
      receipts: memberIds.map((userId) => this.receipt(id, userId)),
    }
  }

  #log(id: string): Log {
    const log = this.#logs.get(id)
    if (log === undefined) throw new CoveyError('NOT_A_MEMBER', 'not a member')
    return log
  }
}
