import { type Clock, CoveyError, type Timer } from 'covey/client'
import type { Receipt } from '../../../contracts/messages.ts'
import { changeConversation } from './changes.ts'
import type { ChatApi } from './chat-api.ts'
import type { ChatState, ConversationState } from './chat-state.ts'
import { withReceipt } from './conversation.ts'
import { keepTrying } from './keep-trying.ts'
import type { Store } from './store.ts'
import { endOf } from './timeline.ts'

/** What a {@link ReceiptSender} works with. */
export interface ReceiptSenderOptions {
  readonly api: Pick<ChatApi, 'acknowledge'>
  readonly store: Store<ChatState>
  readonly clock: Clock
  readonly random: () => number
  readonly report: (error: unknown) => void
}

interface Mark {
  readonly deliveredSeq: number
  readonly readSeq: number
}

/** Time in which receipts of one conversation are joined into one call, in milliseconds. */
const joinMs = 50

const nothing: Mark = { deliveredSeq: 0, readSeq: 0 }

/**
 * Tells the server how far this user has come: delivered when the history up to there is on this
 * device, read when its conversation is open and somebody looks at the page. What is told only grows.
 */
export class ReceiptSender {
  readonly #options: ReceiptSenderOptions
  /** What the server is known to have, by conversation. */
  readonly #told = new Map<string, Mark>()
  /** Conversations with a call in flight, with the period of that call. */
  readonly #telling = new Map<string, AbortSignal>()
  #period: AbortController | undefined
  #looking = false
  #timer: Timer | undefined

  constructor(options: ReceiptSenderOptions) {
    this.#options = options
    options.store.subscribe(() => this.#soon())
  }

  /** Whether somebody looks at the page: it is visible and has the focus. */
  look(looking: boolean): void {
    this.#looking = looking
    this.#soon()
  }

  /** The server said how far this user has come, on whatever device. */
  confirm(receipt: Receipt): void {
    this.#note(receipt.conversationId, receipt)
  }

  /** The server can be reached: tells what it does not know. */
  resume(): void {
    this.#period?.abort()
    this.#period = new AbortController()
    this.#soon()
  }

  /** The server cannot be reached. */
  pause(): void {
    this.#period?.abort()
    this.#period = undefined
  }

  /** Ends all work for good. */
  stop(): void {
    this.pause()
    this.#timer?.stop()
  }

  #soon(): void {
    this.#timer ??= this.#options.clock.after(joinMs, () => {
      this.#timer = undefined
      this.#tellAll()
    })
  }

  #tellAll(): void {
    const signal = this.#period?.signal
    const state = this.#options.store.get()
    for (const conversation of state.conversations?.values() ?? []) {
      this.#markRead(conversation)
      if (signal === undefined || this.#telling.get(conversation.id) === signal) continue
      if (this.#untold(conversation.id) === undefined) continue
      this.#telling.set(conversation.id, signal)
      void this.#tell(conversation.id, signal)
    }
  }

  /** The badge goes at once, whether the server can be reached or not. */
  #markRead({ id }: ConversationState): void {
    const { store } = this.#options
    store.update((state) =>
      changeConversation(state, id, (now) => {
        const { deliveredSeq, readSeq } = this.#wanted(state, now)
        return withReceipt(now, { conversationId: id, userId: state.me.id, deliveredSeq, readSeq })
      }),
    )
  }

  async #tell(id: string, signal: AbortSignal): Promise<void> {
    const { api, clock, random, report } = this.#options
    try {
      for (let mark = this.#untold(id); mark !== undefined; mark = this.#untold(id)) {
        const input = { conversationId: id, ...mark }
        const acknowledge = () => api.acknowledge(input, { signal })
        const receipt = await keepTrying(acknowledge, { clock, random, signal })
        this.#note(id, mark)
        this.#note(id, receipt)
      }
    } catch (thrown) {
      if (!signal.aborted) report(CoveyError.from(thrown))
    } finally {
      if (this.#telling.get(id) === signal) this.#telling.delete(id)
    }
  }

  /** What the server should hear of a conversation, or undefined when it knows everything. */
  #untold(id: string): Mark | undefined {
    const state = this.#options.store.get()
    const conversation = state.conversations?.get(id)
    if (conversation === undefined) return undefined
    const told = this.#told.get(id) ?? nothing
    const { deliveredSeq, readSeq } = this.#wanted(state, conversation)
    if (deliveredSeq <= told.deliveredSeq && readSeq <= told.readSeq) return undefined
    return higher(told, { deliveredSeq, readSeq })
  }

  /** How far this user has come, as far as this page knows. */
  #wanted(state: ChatState, { id, receipts, timeline }: ConversationState): Mark {
    const known = receipts.get(state.me.id) ?? nothing
    const end = timeline === undefined ? 0 : endOf(timeline)
    const open = state.selection.kind === 'conversation' && state.selection.id === id
    return higher(known, { deliveredSeq: end, readSeq: open && this.#looking ? end : 0 })
  }

  #note(id: string, mark: Mark): void {
    this.#told.set(id, higher(this.#told.get(id) ?? nothing, mark))
  }
}

function higher(a: Mark, b: Mark): Mark {
  const readSeq = Math.max(a.readSeq, b.readSeq)
  return { readSeq, deliveredSeq: Math.max(a.deliveredSeq, b.deliveredSeq, readSeq) }
}
