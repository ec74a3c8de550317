import { type Clock, CoveyError } from 'covey/client'
import type { Person } from '../../../contracts/people.ts'
import type { ChatApi } from './chat-api.ts'
import { type ChatState, initialState } from './chat-state.ts'
import { Contacts } from './contacts.ts'
import { peerOf } from './conversation.ts'
import { createDrafts, type Drafts } from './drafts.ts'
import { errorText } from './error-text.ts'
import { History } from './history.ts'
import { keepTrying } from './keep-trying.ts'
import type { KeyValueStorage } from './key-value-storage.ts'
import { Outbox } from './outbox.ts'
import { createOutboxStorage, type OutboxStorage } from './outbox-storage.ts'
import { ReceiptSender } from './receipt-sender.ts'
import { createStore, type Readable, type Store } from './store.ts'
import { Sync } from './sync.ts'
import { createTrouble, type Trouble } from './trouble.ts'

/** What a {@link Chat} works with. */
export interface ChatOptions {
  readonly api: ChatApi
  readonly me: Person
  readonly storage: KeyValueStorage
  readonly clock: Clock
  /** Source of jitter, numbers in [0, 1). */
  readonly random: () => number
  /** Makes a client message id, unique for ever. */
  readonly newId: () => string
  /** The server does not accept the session any more. */
  readonly onExpired: () => void
  /** Takes errors that nobody can do anything about, for the console. */
  readonly report: (error: unknown) => void
}

/** What the connection to the server is doing. */
export type LinkState =
  | { readonly kind: 'connecting' | 'open' | 'closed' }
  | { readonly kind: 'waiting'; readonly retryInMs: number }

/** Everything behind the page of one logged-in user; the view shows `state` and calls the methods. */
export class Chat {
  readonly state: Readable<ChatState>
  readonly drafts: Drafts
  readonly contacts: Contacts
  readonly outbox: Outbox
  readonly history: History
  readonly #options: ChatOptions
  readonly #store: Store<ChatState>
  readonly #kept: OutboxStorage
  readonly #receipts: ReceiptSender
  readonly #sync: Sync
  readonly #trouble: Trouble
  #period: AbortController | undefined

  constructor(options: ChatOptions) {
    const store = createStore(initialState(options.me))
    this.#options = options
    this.#store = store
    this.state = store
    this.#trouble = createTrouble(store)
    this.#kept = createOutboxStorage(options.storage, options.me.id)
    this.drafts = createDrafts(options.storage, options.me.id)
    this.#receipts = new ReceiptSender({ ...options, store })
    const watch = (part: string) => (failing: boolean) => this.#trouble.set(part, failing)
    this.contacts = new Contacts({ ...options, store, onTrouble: watch('contacts') })
    this.history = new History({
      ...options,
      store,
      onOwn: (clientId) => this.outbox.confirm(clientId),
      onTrouble: watch('history'),
    })
    this.outbox = new Outbox({
      ...options,
      store,
      storage: this.#kept,
      onStored: (message) => this.history.receive(message),
      onTrouble: watch('outbox'),
    })
    const { contacts, history } = this
    const receipts = this.#receipts
    const onTrouble = watch('conversations')
    this.#sync = new Sync({ ...options, store, contacts, history, receipts, onTrouble })
  }

  /** Begins to follow the server. */
  start(): void {
    void this.#sync.start()
  }

  /** Ends everything; unsent messages and drafts stay on the device. */
  stop(): void {
    this.#period?.abort()
    this.#sync.stop()
    this.#receipts.stop()
    this.outbox.pause()
  }

  /** Hears what the connection does. */
  linkChanged(link: LinkState): void {
    this.#period?.abort()
    if (link.kind === 'open') {
      this.#store.update((state) => ({ ...state, deviceOffline: false }))
      this.#period = new AbortController()
      void this.#identify(this.#period.signal)
      return
    }
    this.outbox.pause()
    this.#receipts.pause()
    this.#trouble.clear()
    const retryAtMs =
      link.kind === 'waiting' ? this.#options.clock.wallMs() + link.retryInMs : undefined
    this.#store.update((state) =>
      state.connection.kind === 'starting' && retryAtMs === undefined
        ? state
        : { ...state, connection: { kind: 'reconnecting', retryAtMs } },
    )
  }

  /** Hears from the device whether it has a network. A device that is wrong is found out by a call. */
  async deviceChanged(online: boolean): Promise<void> {
    this.#store.update((state) => ({ ...state, deviceOffline: !online }))
    if (online) return this.#healAll()
    try {
      await this.#options.api.me(undefined, { timeoutMs: 3_000 })
      this.#store.update((state) => ({ ...state, deviceOffline: false }))
    } catch {
      // It is right: the connection is gone, or will be found to be.
    }
  }

  /** Hears whether somebody looks at the page. */
  look(looking: boolean): void {
    this.#receipts.look(looking)
    if (looking) this.#healAll()
  }

  /** Hears that another tab changed what is kept on the device; `value` is null when it was removed. */
  storageChanged(key: string, value: string | null): void {
    const clientId = this.#kept.idOf(key)
    if (clientId !== undefined && value === null) this.outbox.forget(clientId)
  }

  /** Shows a conversation, or none. */
  select(id: string | undefined): void {
    const { selection } = this.#store.get()
    if (selection.kind === 'conversation') {
      if (selection.id === id) return
      this.history.close(selection.id)
    }
    this.#store.update((state) => ({
      ...state,
      selection: id === undefined ? { kind: 'none' } : { kind: 'conversation', id },
    }))
    if (id !== undefined) this.history.fill(id)
  }

  /** Shows the conversation with a friend; it is made when there is none yet. */
  async openFriend(friendId: string): Promise<void> {
    const { conversations, me } = this.#store.get()
    const known = [...(conversations?.values() ?? [])].find(
      (conversation) => peerOf(conversation, me.id) === friendId,
    )
    if (known !== undefined) return this.select(known.id)
    this.select(undefined)
    this.#showOpening(friendId, '')
    try {
      const conversation = await this.#options.api.openDirect({ friendId })
      this.#sync.merge([conversation])
      if (this.#isOpening(friendId)) this.select(conversation.id)
    } catch (error) {
      if (this.#isOpening(friendId)) this.#showOpening(friendId, errorText(CoveyError.from(error)))
    }
  }

  /**
   * Nothing is written on a connection before it is known to be this user's: another tab may have logged
   * somebody else in, and the cookie of a ticket is then theirs.
   */
  async #identify(signal: AbortSignal): Promise<void> {
    const { api, clock, me, onExpired, random, report } = this.#options
    try {
      const ask = () => api.me(undefined, { signal })
      const onTrouble = (failing: boolean) => this.#trouble.set('identity', failing)
      const { id } = await keepTrying(ask, {
        clock,
        random,
        signal,
        onTrouble,
        alsoRetry: ['INTERNAL'],
      })
      if (id !== me.id) return onExpired()
      this.outbox.resume()
      this.#receipts.resume()
    } catch (thrown) {
      if (signal.aborted) return
      const error = CoveyError.from(thrown)
      if (error.code === 'UNAUTHENTICATED') onExpired()
      else report(error)
    }
  }

  #healAll(): void {
    this.outbox.adopt()
    this.#sync.heal()
  }

  #showOpening(friendId: string, problem: string): void {
    this.#store.update((state) => ({
      ...state,
      selection: { kind: 'opening', friendId, problem },
    }))
  }

  #isOpening(friendId: string): boolean {
    const { selection } = this.#store.get()
    return selection.kind === 'opening' && selection.friendId === friendId
  }
}
