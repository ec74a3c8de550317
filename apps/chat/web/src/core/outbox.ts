import { type Clock, CoveyError } from 'covey/client'
import type { Message } from '../../../contracts/messages.ts'
import { changeOutgoing } from './changes.ts'
import type { ChatApi } from './chat-api.ts'
import type { ChatState, Outgoing } from './chat-state.ts'
import { errorText } from './error-text.ts'
import { keepTrying } from './keep-trying.ts'
import type { OutboxStorage, StoredMessage } from './outbox-storage.ts'
import type { Store } from './store.ts'

/** What an {@link Outbox} works with. */
export interface OutboxOptions {
  readonly api: Pick<ChatApi, 'send'>
  readonly store: Store<ChatState>
  readonly storage: OutboxStorage
  readonly clock: Clock
  readonly random: () => number
  /** Makes a client message id, unique for ever. */
  readonly newId: () => string
  /** Takes each message that the server has stored. */
  readonly onStored: (message: Message) => void
  readonly onTrouble: (failing: boolean) => void
}

/** Codes that mean "later" for a message, beside those that the code table allows to repeat. */
const alsoRetry = ['TOO_FAST', 'CANCELLED']

/**
 * Messages on their way. Each is kept on the device until the server has stored it, is sent after
 * those written before it in the same conversation, and is tried until it succeeds or the server
 * refuses it for good. The client id makes a repeat harmless.
 */
export class Outbox {
  readonly #options: OutboxOptions
  #queue: StoredMessage[]
  #period: AbortController | undefined
  /** Conversations that are being worked on, with the period of that work. */
  readonly #working = new Map<string, AbortSignal>()

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#queue = options.storage.load()
    for (const { conversationId } of this.#queue) this.#show(conversationId)
  }

  /** Takes a message to be sent, shows it at once, and returns its client id. */
  add(conversationId: string, text: string): string {
    const { clock, newId, storage } = this.#options
    const message: StoredMessage = {
      conversationId,
      clientId: newId(),
      text: text.toWellFormed(),
      createdAtMs: clock.wallMs(),
      order: 1 + this.#queue.reduce((highest, { order }) => Math.max(highest, order), 0),
      reason: '',
    }
    this.#queue.push(message)
    storage.save(message)
    this.#show(conversationId)
    this.#work(conversationId)
    return message.clientId
  }

  /** Tries a failed message again, after those that are waiting already. */
  retry(clientId: string): void {
    const message = this.#queue.find((entry) => entry.clientId === clientId)
    if (message === undefined || message.reason === '') return
    this.#replace({ ...message, reason: '' })
    this.#work(message.conversationId)
  }

  /** Gives up a failed message. One that may still be on its way cannot be called back. */
  discard(clientId: string): void {
    const message = this.#queue.find((entry) => entry.clientId === clientId)
    if (message !== undefined && message.reason !== '') this.#drop(message)
  }

  /** Another tab of this user has sent or discarded it. */
  forget(clientId: string): void {
    const message = this.#queue.find((entry) => entry.clientId === clientId)
    if (message !== undefined) this.#drop(message)
  }

  /** An own message was seen in the history, so it needs no sending any more. */
  confirm(clientId: string): void {
    const message = this.#queue.find((entry) => entry.clientId === clientId)
    if (message === undefined) return
    this.#remove(message)
    this.#markStored(message)
  }

  /** Takes over what other tabs of this user, perhaps closed by now, have not sent; that two try is harmless. */
  adopt(): void {
    const strange = this.#options.storage.load().filter(({ clientId }) => !this.#has(clientId))
    this.#queue.push(...strange)
    for (const id of new Set(strange.map(({ conversationId }) => conversationId))) {
      this.#show(id)
      this.#work(id)
    }
  }

  /** The server can be reached: everything that waits on this device is tried at once. */
  resume(): void {
    this.#period?.abort()
    this.#period = new AbortController()
    this.adopt()
    for (const id of new Set(this.#queue.map(({ conversationId }) => conversationId))) {
      this.#work(id)
    }
  }

  /** The server cannot be reached: what is in flight counts as unsent. */
  pause(): void {
    this.#period?.abort()
    this.#period = undefined
  }

  #work(conversationId: string): void {
    const signal = this.#period?.signal
    if (signal === undefined || this.#working.get(conversationId) === signal) return
    this.#working.set(conversationId, signal)
    void this.#drain(conversationId, signal)
  }

  async #drain(conversationId: string, signal: AbortSignal): Promise<void> {
    try {
      for (
        let next = this.#next(conversationId);
        next !== undefined && !signal.aborted;
        next = this.#next(conversationId)
      ) {
        await this.#deliver(next, signal)
      }
    } catch {
      // The period ended; the next one begins again with the same message.
    } finally {
      if (this.#working.get(conversationId) === signal) this.#working.delete(conversationId)
    }
  }

  async #deliver(message: StoredMessage, signal: AbortSignal): Promise<void> {
    const { api, clock, random, onStored, onTrouble } = this.#options
    const { conversationId, clientId, text } = message
    const send = async () =>
      this.#has(clientId) ? api.send({ conversationId, clientId, text }, { signal }) : undefined
    try {
      const stored = await keepTrying(send, { clock, random, signal, alsoRetry, onTrouble })
      this.confirm(clientId)
      if (stored !== undefined) onStored(stored)
    } catch (thrown) {
      signal.throwIfAborted()
      const error = CoveyError.from(thrown)
      if (error.code === 'UNAUTHENTICATED') throw error
      this.#replace({ ...message, reason: errorText(error) })
    }
  }

  #has(clientId: string): boolean {
    return this.#queue.some((entry) => entry.clientId === clientId)
  }

  #next(conversationId: string): StoredMessage | undefined {
    return this.#queue.find(
      (entry) => entry.conversationId === conversationId && entry.reason === '',
    )
  }

  #replace(message: StoredMessage): void {
    const place = this.#queue.findIndex(({ clientId }) => clientId === message.clientId)
    if (place < 0) return
    this.#queue[place] = message
    this.#options.storage.save(message)
    this.#show(message.conversationId)
  }

  #drop(message: StoredMessage): void {
    this.#remove(message)
    this.#show(message.conversationId)
  }

  #remove({ clientId }: StoredMessage): void {
    this.#queue = this.#queue.filter((entry) => entry.clientId !== clientId)
    this.#options.storage.remove(clientId)
  }

  /** Shows what waits in a conversation, keeping stored messages whose place is not loaded yet. */
  #show(conversationId: string): void {
    const waiting = this.#queue
      .filter((entry) => entry.conversationId === conversationId)
      .map(toOutgoing)
    this.#options.store.update((state) =>
      changeOutgoing(state, conversationId, (list) => [
        ...list.filter(({ stage }) => stage === 'stored'),
        ...waiting,
      ]),
    )
  }

  #markStored({ conversationId, clientId }: StoredMessage): void {
    this.#options.store.update((state) =>
      changeOutgoing(state, conversationId, (list) =>
        list.map((entry) =>
          entry.clientId === clientId ? { ...entry, stage: 'stored', reason: '' } : entry,
        ),
      ),
    )
  }
}

function toOutgoing({ order: _, ...message }: StoredMessage): Outgoing {
  return { ...message, stage: message.reason === '' ? 'waiting' : 'failed' }
}
