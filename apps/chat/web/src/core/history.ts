import { type Clock, CoveyError } from 'covey/client'
import type { Message } from '../../../contracts/messages.ts'
import { addMessages, changeConversation } from './changes.ts'
import type { ChatApi } from './chat-api.ts'
import type { ChatState, ConversationState } from './chat-state.ts'
import { missingAtEnd, withMessages } from './conversation.ts'
import { keepTrying } from './keep-trying.ts'
import type { Store } from './store.ts'
import { endOf, extend, prepend, startWith, trim } from './timeline.ts'

/** What a {@link History} works with. */
export interface HistoryOptions {
  readonly api: Pick<ChatApi, 'messages'>
  readonly store: Store<ChatState>
  readonly clock: Clock
  readonly random: () => number
  /** Hears of every own message that the server is seen to have. */
  readonly onOwn: (clientId: string) => void
  readonly onTrouble: (failing: boolean) => void
  /** Takes errors that nobody can do anything about, for the console. */
  readonly report: (error: unknown) => void
}

/** Messages of a page that somebody scrolls to. */
export const pageSize = 50
/** Messages of a page when a hole is filled; the most that the contract allows. */
const fillSize = 200
/** A hole larger than this is not filled: the newest page takes the place of the loaded part. */
const maxFill = 1_000
/** Messages of a conversation that stay loaded when it is closed. */
const keptWhenClosed = 200

/**
 * The loaded part of every history, kept without holes. A push is a hint that is used when it fits;
 * what is missing is pulled by sequence, so pushes may be lost, doubled or out of order.
 */
export class History {
  readonly #options: HistoryOptions
  #period: AbortSignal | undefined
  /** Conversations that are being filled, with the period of that work. */
  readonly #filling = new Map<string, AbortSignal>()

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** The server can be reached until `period` aborts: fills whatever is missing. */
  resume(period: AbortSignal): void {
    this.#period = period
    for (const id of this.#options.store.get().conversations?.keys() ?? []) {
      this.#change(id, (now) => (now.older === 'failed' ? { ...now, older: 'idle' } : now))
      this.fill(id)
    }
  }

  /** Takes a message from a push or from an answer. */
  receive(message: Message): void {
    this.#add(message.conversationId, [message])
    this.fill(message.conversationId)
  }

  /** Pulls what this page should have of a conversation and has not. Does nothing when it is whole. */
  fill(id: string): void {
    const signal = this.#period
    if (signal === undefined || signal.aborted || this.#filling.get(id) === signal) return
    if (this.#pullFor(id, signal) === undefined) return
    this.#filling.set(id, signal)
    void this.#fillNow(id, signal)
  }

  /** Loads the page before the loaded part. Its progress is in the `older` of the conversation. */
  async loadOlder(id: string): Promise<void> {
    const { api, store } = this.#options
    const conversation = store.get().conversations?.get(id)
    const first = conversation?.timeline?.messages[0]
    if (conversation === undefined || first === undefined) return
    if (conversation.older === 'loading' || first.seq === 1) return
    this.#setOlder(id, 'loading')
    try {
      const input = { conversationId: id, beforeSeq: first.seq, limit: pageSize }
      const page = await api.messages(input)
      this.#change(id, (now) => withPage(now, page, first.seq))
    } catch (thrown) {
      this.#setOlder(id, 'failed')
      const error = CoveyError.from(thrown)
      if (!error.retryable(true)) this.#options.report(error)
    }
  }

  /** Forgets the older messages of a conversation that is not looked at any more. */
  close(id: string): void {
    this.#change(id, (now) =>
      now.timeline === undefined || now.older === 'loading'
        ? now
        : { ...now, older: 'idle', timeline: trim(now.timeline, keptWhenClosed) },
    )
  }

  async #fillNow(id: string, signal: AbortSignal): Promise<void> {
    const { clock, random, onTrouble, report } = this.#options
    try {
      for (let pull = this.#pullFor(id, signal); pull !== undefined; ) {
        const before = this.#stateOf(id)?.timeline
        await keepTrying(pull, { clock, random, signal, onTrouble })
        const after = this.#stateOf(id)?.timeline
        // An answer that brings nothing new is no reason to ask at once again.
        if (before !== undefined && after !== undefined && endOf(after) <= endOf(before)) return
        pull = this.#pullFor(id, signal)
      }
    } catch (error) {
      if (!signal.aborted) report(error)
    } finally {
      if (this.#filling.get(id) === signal) this.#filling.delete(id)
    }
  }

  /** The next pull that a conversation needs, or undefined when it is as it should be. */
  #pullFor(id: string, signal: AbortSignal): (() => Promise<void>) | undefined {
    const state = this.#options.store.get()
    const conversation = state.conversations?.get(id)
    if (conversation === undefined) return undefined
    const { timeline, lastSeq } = conversation
    const missing = missingAtEnd(conversation)
    if (timeline === undefined) {
      const looked = state.selection.kind === 'conversation' && state.selection.id === id
      const delivered = conversation.receipts.get(state.me.id)?.deliveredSeq ?? 0
      return looked || delivered < lastSeq ? () => this.#pullNewest(id, signal) : undefined
    }
    if (missing <= 0) return undefined
    return missing > maxFill
      ? () => this.#pullNewest(id, signal)
      : () => this.#pullAfter(id, endOf(timeline), signal)
  }

  async #pullNewest(id: string, signal: AbortSignal): Promise<void> {
    const input = { conversationId: id, limit: pageSize }
    const page = await this.#options.api.messages(input, { signal })
    this.#change(id, (now) => {
      const fresh = startWith(page)
      const timeline = extend(fresh, now.timeline?.ahead ?? [])
      return withMessages({ ...now, timeline, older: 'idle' }, page)
    })
    this.#noteOwn(page)
  }

  async #pullAfter(id: string, afterSeq: number, signal: AbortSignal): Promise<void> {
    const input = { conversationId: id, afterSeq, limit: fillSize }
    this.#add(id, await this.#options.api.messages(input, { signal }))
  }

  #add(id: string, messages: readonly Message[]): void {
    this.#options.store.update((state) => addMessages(state, id, messages))
    this.#noteOwn(messages)
  }

  #noteOwn(messages: readonly Message[]): void {
    const { store, onOwn } = this.#options
    const myId = store.get().me.id
    for (const { clientId, senderId } of messages) if (senderId === myId) onOwn(clientId)
  }

  #setOlder(id: string, older: ConversationState['older']): void {
    this.#change(id, (now) => ({ ...now, older }))
  }

  #change(id: string, change: (now: ConversationState) => ConversationState): void {
    this.#options.store.update((state) => changeConversation(state, id, change))
  }

  #stateOf(id: string): ConversationState | undefined {
    return this.#options.store.get().conversations?.get(id)
  }
}

/** Adds a page that was asked for when `firstSeq` was the oldest loaded message. */
function withPage(
  now: ConversationState,
  page: readonly Message[],
  firstSeq: number,
): ConversationState {
  if (now.timeline?.messages[0]?.seq !== firstSeq) return { ...now, older: 'idle' }
  const timeline = prepend(now.timeline, page)
  return { ...now, timeline, older: timeline === now.timeline ? 'failed' : 'idle' }
}
