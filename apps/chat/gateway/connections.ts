import { CoveyError } from 'covey'
import type { ChatEvent } from '../contracts/push.ts'
import { EventQueue } from './event-queue.ts'

/** Somebody who listens: a stream `events` that is open. */
export interface Listener {
  /** Unique in this process. */
  readonly id: string
  readonly userId: string
  readonly sessionId: string
  readonly queue: EventQueue
  /** Runs when this user has one friend more. */
  onFriendAdded: (() => void) | undefined
}

/** Open streams of one user on one gateway: several devices with several pages each. */
const maxPerUser = 50

/** Who listens at this gateway. A user is there as long as a stream `events` is open. */
export class Connections {
  readonly #byUser = new Map<string, Set<Listener>>()
  readonly #onChange: () => void
  #opened = 0

  /** @param onChange runs when somebody came or went */
  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** All listeners with their users, as presence is told. */
  list(): { userId: string; connectionId: string }[] {
    return [...this.#all()].map(({ userId, id }) => ({ userId, connectionId: id }))
  }

  get size(): number {
    let size = 0
    for (const listeners of this.#byUser.values()) size += listeners.size
    return size
  }

  /**
   * Adds a listener.
   * @throws CoveyError `RESOURCE_EXHAUSTED` if this user has too many
   */
  open(userId: string, sessionId: string): Listener {
    const listeners = this.#byUser.get(userId) ?? new Set()
    if (listeners.size >= maxPerUser) {
      const details = { rule: 'event streams of one user', max: maxPerUser }
      throw new CoveyError('RESOURCE_EXHAUSTED', `${maxPerUser} pages are open`, { details })
    }
    this.#opened += 1
    const listener: Listener = {
      id: String(this.#opened),
      userId,
      sessionId,
      queue: new EventQueue(),
      onFriendAdded: undefined,
    }
    this.#byUser.set(userId, listeners.add(listener))
    this.#onChange()
    return listener
  }

  /** Takes a listener away. Doing it twice is harmless. */
  close(listener: Listener): void {
    const listeners = this.#byUser.get(listener.userId)
    if (!listeners?.delete(listener)) return
    if (listeners.size === 0) this.#byUser.delete(listener.userId)
    this.#onChange()
  }

  /** Hands an event to all listeners of these users. How many took it. */
  deliver(userIds: readonly string[], event: ChatEvent): number {
    let delivered = 0
    for (const userId of new Set(userIds)) {
      for (const listener of this.#byUser.get(userId) ?? []) {
        if (listener.queue.push(event)) delivered += 1
        if (event.type === 'friendAdded') listener.onFriendAdded?.()
      }
    }
    return delivered
  }

  /** Tells everybody that pushes may have been lost, so that they pull. */
  resync(): void {
    for (const { queue } of this.#all()) queue.push({ type: 'ready' })
  }

  /** Ends the streams of a session. */
  endSession(sessionId: string, reason: CoveyError): void {
    for (const listener of this.#all()) {
      if (listener.sessionId === sessionId) listener.queue.end(reason)
    }
  }

  /** Ends every stream. */
  endAll(reason: CoveyError): void {
    for (const { queue } of this.#all()) queue.end(reason)
  }

  *#all(): Generator<Listener> {
    for (const listeners of this.#byUser.values()) yield* listeners
  }
}
