import { CoveyError } from 'covey'
import { LatestStates } from '../base/latest-states.ts'
import type { PresenceChange } from '../contracts/presence.ts'
import type { ChatEvent } from '../contracts/push.ts'

/** Events that may wait for one client; the contract `chat` names this number. */
const maxWaiting = 256

/**
 * The events on their way to one client. It never grows beyond its bound: a client that falls behind is cut off and
 * pulls by sequence, which loses nothing. Presence is apart, since only its newest state matters.
 */
export class EventQueue {
  readonly #events: ChatEvent[] = []
  readonly #presence = new LatestStates<string, boolean>()
  #ended: CoveyError | undefined
  #wake: (() => void) | undefined

  /** Adds an event. False if the queue has ended, by this one too many or before. */
  push(event: ChatEvent): boolean {
    if (this.#ended !== undefined) return false
    if (this.#events.length >= maxWaiting) {
      const details = { rule: 'events of one client', max: maxWaiting }
      const message = `this client is more than ${maxWaiting} events behind; pull by sequence`
      this.end(new CoveyError('RESOURCE_EXHAUSTED', message, { details }))
      return false
    }
    this.#events.push(event)
    this.#wake?.()
    return true
  }

  /** Notes the presence of a user. What the client knows already is not told again. */
  tellPresence({ userId, online }: PresenceChange): void {
    this.#presence.set(userId, online)
    this.#wake?.()
  }

  /** Ends the stream with an error. What still waits is dropped. The first reason stays. */
  end(reason: CoveyError): void {
    this.#ended ??= reason
    this.#events.length = 0
    this.#wake?.()
  }

  /**
   * The events, until `signal` aborts.
   * @throws CoveyError the reason of `end`
   */
  async *read(signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const onAbort = () => this.#wake?.()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        if (this.#ended !== undefined) throw this.#ended
        const event = this.#take()
        if (event !== undefined) yield event
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  #take(): ChatEvent | undefined {
    const event = this.#events.shift()
    if (event !== undefined) return event
    const state = this.#presence.take()
    if (state === undefined) return undefined
    return { type: 'presence', change: { userId: state[0], online: state[1] } }
  }
}
