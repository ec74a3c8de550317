import { type Clock, CoveyError, type Log, type Timer } from 'covey'

/** What is told of the events that one gateway did not get. */
interface Loss {
  readonly instance: string
  /** It has left in order, or did not take what it was sent. */
  readonly kind: 'left' | 'failed'
  events: number
  reason: string
  code: string
}

/** Losses this close together are told in one line, in milliseconds. */
const togetherMs = 5_000

/**
 * Tells the log of events that did not reach a gateway, with their number, one line for a gateway and a few seconds. Nothing is lost
 * with them: clients pull. So a gateway that leaves in order, as in each reload, is no warning; its clients connect elsewhere and pull at
 * once. One that is there and takes nothing is: its clients learn of it with their next regular pull only.
 */
export class LostPushes {
  readonly #clock: Clock
  readonly #log: Log
  readonly #losses = new Map<string, Loss>()
  #timer: Timer | undefined

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock
    this.#log = log
  }

  /** A gateway did not get so many events, and this is why. */
  add(instance: string, events: number, thrown: unknown): void {
    const { code, message, details } = CoveyError.from(thrown)
    const kind = hasLeft(code, details) ? 'left' : 'failed'
    const key = `${kind} ${instance}`
    const known = this.#losses.get(key)
    const before = known?.events ?? 0
    this.#losses.set(key, { instance, kind, events: before + events, reason: message, code })
    this.#timer ??= this.#clock.after(togetherMs, () => this.tell())
  }

  /** Writes what has not been told yet. */
  tell(): void {
    this.#timer?.stop()
    this.#timer = undefined
    for (const { instance, kind, events, reason, code } of this.#losses.values()) {
      if (kind === 'left') {
        const fields = { instance, events }
        this.#log.info(fields, 'pushes for a gateway that has left; its clients pull them')
      } else {
        const fields = { instance, events, code, reason }
        this.#log.warn(fields, 'pushes lost; clients find them with their next pull')
      }
    }
    this.#losses.clear()
  }
}

/** Whether no such gateway is registered any more, or it says itself that it is going. */
function hasLeft(code: string, details: unknown): boolean {
  if (code === 'DRAINING') return true
  const tried = (details as { instances?: unknown } | undefined)?.instances
  return code === 'UNAVAILABLE' && Array.isArray(tried) && tried.length === 0
}
