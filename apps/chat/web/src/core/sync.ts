import { type Clock, CoveyError, createBackoff, sleep } from 'covey/client'
import type { Conversation } from '../../../contracts/messages.ts'
import type { ChatEvent } from '../../../contracts/push.ts'
import { addPeople, changeConversation } from './changes.ts'
import type { ChatApi } from './chat-api.ts'
import type { ChatState } from './chat-state.ts'
import type { Contacts } from './contacts.ts'
import { mergeConversation, withReceipt } from './conversation.ts'
import type { History } from './history.ts'
import { keepTrying } from './keep-trying.ts'
import type { ReceiptSender } from './receipt-sender.ts'
import type { Store } from './store.ts'

/** What a {@link Sync} works with. */
export interface SyncOptions {
  readonly api: Pick<ChatApi, 'events' | 'conversations'>
  readonly store: Store<ChatState>
  readonly history: History
  readonly contacts: Contacts
  readonly receipts: ReceiptSender
  readonly clock: Clock
  readonly random: () => number
  /** The server does not accept the session any more. */
  readonly onExpired: () => void
  readonly onTrouble: (failing: boolean) => void
  readonly report: (error: unknown) => void
}

/** Time between two pulls that heal lost pushes, in milliseconds. */
export const healMs = 25_000

/**
 * Keeps this page equal to the server. On each connection it opens the events and then pulls, in this
 * order, so that nothing falls between; after that pushes are used as they come, and a regular pull
 * heals what a lost push left out.
 */
export class Sync {
  readonly #options: SyncOptions
  readonly #stopped = new AbortController()
  #period: AbortSignal | undefined
  #pulling: AbortSignal | undefined
  #again = false
  /** The connection on which every page of conversations was pulled once. */
  #whole: AbortSignal | undefined

  constructor(options: SyncOptions) {
    this.#options = options
  }

  /** Follows the events until `stop`, across all connections. */
  async start(): Promise<void> {
    const { clock, random, store } = this.#options
    const backoff = createBackoff({ baseMs: 200, maxMs: 10_000, minMs: 50, random })
    while (!this.#stopped.signal.aborted) {
      if (await this.#follow()) backoff.reset()
      if (this.#stopped.signal.aborted) return
      store.update((state) =>
        state.connection.kind === 'online'
          ? { ...state, connection: { kind: 'reconnecting', retryAtMs: undefined } }
          : state,
      )
      await sleep(backoff.next(), this.#stopped.signal, clock).catch(() => {})
    }
  }

  /** Ends everything for good. */
  stop(): void {
    this.#stopped.abort()
  }

  /** Pulls the conversations, and from there whatever is missing in each. */
  heal(): void {
    const signal = this.#period
    if (signal === undefined || signal.aborted) return
    if (this.#pulling === signal) {
      this.#again = true
      return
    }
    this.#pulling = signal
    void this.#pull(signal)
  }

  /** Follows one stream of events to its end. Returns whether it ever was ready. */
  async #follow(): Promise<boolean> {
    const { api, onExpired, report } = this.#options
    const period = new AbortController()
    const end = () => period.abort()
    this.#stopped.signal.addEventListener('abort', end, { once: true })
    let ready = false
    try {
      for await (const event of api.events(undefined, { signal: period.signal })) {
        if (event.type === 'ready') {
          ready = true
          this.#begin(period.signal)
        } else this.#apply(event)
      }
    } catch (thrown) {
      const error = CoveyError.from(thrown)
      if (error.code === 'UNAUTHENTICATED') onExpired()
      else if (!error.retryable(true) && !period.signal.aborted) report(error)
    } finally {
      period.abort()
      this.#stopped.signal.removeEventListener('abort', end)
    }
    return ready
  }

  /** From now on every push is seen, so what is pulled now is never too old. */
  #begin(period: AbortSignal): void {
    const { clock, contacts, history, random, store } = this.#options
    this.#whole = undefined
    if (this.#period === period) {
      this.heal()
      return contacts.refresh()
    }
    this.#period = period
    store.update((state) => ({ ...state, connection: { kind: 'online' } }))
    contacts.resume(period)
    history.resume(period)
    this.heal()
    const timer = clock.every(healMs * (0.75 + random() / 2), () => {
      this.heal()
      contacts.refresh()
    })
    period.addEventListener('abort', () => timer.stop(), { once: true })
  }

  #apply(event: Exclude<ChatEvent, { type: 'ready' }>): void {
    const { contacts, history, receipts, store } = this.#options
    switch (event.type) {
      case 'message':
        history.receive(event.message)
        if (!store.get().conversations?.has(event.message.conversationId)) this.heal()
        return
      case 'receipt': {
        const { receipt } = event
        if (receipt.userId === store.get().me.id) receipts.confirm(receipt)
        store.update((state) =>
          changeConversation(state, receipt.conversationId, (now) => withReceipt(now, receipt)),
        )
        return
      }
      default:
        contacts.receive(event)
    }
  }

  async #pull(signal: AbortSignal): Promise<void> {
    const { report } = this.#options
    try {
      do {
        this.#again = false
        await this.#pullPages(signal)
      } while (this.#again)
    } catch (error) {
      if (!signal.aborted) report(error)
    } finally {
      if (this.#pulling === signal) this.#pulling = undefined
    }
  }

  /**
   * Pulls all conversations once on a connection; later only down to the first page that ends with
   * one in which nothing is new, because they come with the newest message first.
   */
  async #pullPages(signal: AbortSignal): Promise<void> {
    const { api, clock, random, onTrouble } = this.#options
    const whole = this.#whole === signal
    for (let after: string | undefined, last = false; !last; ) {
      const pull = () => api.conversations(after === undefined ? {} : { after }, { signal })
      const page = await keepTrying(pull, { clock, random, signal, onTrouble })
      const oldest = page.conversations.at(-1)
      last = page.next === null || (whole && oldest !== undefined && !this.#isNews(oldest))
      after = page.next ?? undefined
      this.#options.store.update((state) => addPeople(state, page.people))
      this.merge(page.conversations)
    }
    this.#whole = signal
  }

  #isNews({ id, lastSeq }: Conversation): boolean {
    return (this.#options.store.get().conversations?.get(id)?.lastSeq ?? -1) < lastSeq
  }

  /** Takes what the server said of conversations, and pulls what it shows to be missing. */
  merge(conversations: readonly Conversation[]): void {
    const { history, receipts, store } = this.#options
    const myId = store.get().me.id
    for (const receipt of conversations.flatMap((conversation) => conversation.receipts)) {
      if (receipt.userId === myId) receipts.confirm(receipt)
    }
    store.update((state) => {
      const all = new Map(state.conversations)
      for (const conversation of conversations) {
        all.set(conversation.id, mergeConversation(all.get(conversation.id), conversation))
      }
      return { ...state, conversations: all }
    })
    for (const { id } of conversations) history.fill(id)
  }
}
