import {
  type Client,
  type Clock,
  CoveyError,
  createBackoff,
  type Log,
  sleep,
  type Timer,
} from 'covey'
import type { presence } from '../contracts/presence.ts'

/** What a {@link PresenceAnnouncer} needs. */
export interface PresenceAnnouncerOptions {
  presence: Pick<Client<typeof presence>, 'announce'>
  /** Id of this instance, under which others reach it. */
  instance: string
  /** This life of the instance. */
  epoch: string
  leaseMs: number
  /** Who is here now. */
  connections: () => { userId: string; connectionId: string }[]
  /** Runs when the presence service had forgotten this gateway, so that pushes may be lost. */
  onForgotten: () => void
  clock: Clock
  log: Log
}

/** Changes this close together are told together, in milliseconds. */
const coalesceMs = 50
/** Since each announcement is whole, large ones are rarer: one millisecond more for so many connections. */
const connectionsPerMs = 100
const announceTimeoutMs = 2_000

/**
 * Tells the presence service who is at this gateway: soon after each change, and each third of the lease. When the
 * service is away it tries for ever, with backoff, so that a restarted one is whole again within a second.
 */
export class PresenceAnnouncer {
  readonly #options: PresenceAnnouncerOptions
  readonly #abort = new AbortController()
  /** Counts changes; what has been told is `#told`. */
  #changes = 0
  #told = -1
  #waiting: { change: number; resolve: () => void }[] = []
  #wake: (() => void) | undefined
  #loop: Promise<void> | undefined
  #failing = false

  constructor(options: PresenceAnnouncerOptions) {
    this.#options = options
  }

  /** Begins to announce. Not inside of a call, whose end would be its end. */
  start(): void {
    this.#loop = this.#run()
  }

  /** Says that there is nobody here any more, if that works at once, and ends. */
  async stop(): Promise<void> {
    this.#abort.abort()
    this.#wake?.()
    await this.#loop
    await this.#announce([], { timeoutMs: 500 }).catch(() => {})
  }

  /** Somebody came or went. */
  changed(): void {
    this.#changes += 1
    this.#wake?.()
  }

  /** Settles when what is here now has been told, at the latest after `limitMs`. */
  async announced(limitMs: number): Promise<void> {
    if (this.#told >= this.#changes) return
    const change = this.#changes
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(limitMs, resolve)
      const told = () => {
        timer.stop()
        resolve()
      }
      this.#waiting.push({ change, resolve: told })
    })
  }

  async #run(): Promise<void> {
    const { clock, leaseMs, connections } = this.#options
    const { signal } = this.#abort
    const backoff = createBackoff({ baseMs: 100, maxMs: 1_000 })
    while (!signal.aborted) {
      const change = this.#changes
      const now = connections()
      try {
        const { renewed } = await this.#announce(now, { timeoutMs: announceTimeoutMs, signal })
        this.#succeeded(change, renewed)
        backoff.reset()
        await this.#change(leaseMs / 3)
        const pauseMs = coalesceMs + Math.floor(now.length / connectionsPerMs)
        await sleep(pauseMs, signal, clock).catch(() => {})
      } catch (error) {
        this.#failed(error)
        await sleep(Math.max(20, backoff.next()), signal, clock).catch(() => {})
      }
    }
  }

  #announce(
    connections: { userId: string; connectionId: string }[],
    options: { timeoutMs: number; signal?: AbortSignal },
  ) {
    const { presence, instance, epoch, leaseMs } = this.#options
    return presence.announce({ instance, epoch, leaseMs, connections }, options)
  }

  #succeeded(change: number, renewed: boolean): void {
    const { log, onForgotten } = this.#options
    const first = this.#told < 0
    this.#told = change
    if (this.#failing) log.info({}, 'the presence service answers again')
    this.#failing = false
    if (!renewed && !first) onForgotten()
    const told = this.#waiting.filter((waiter) => waiter.change <= change)
    this.#waiting = this.#waiting.filter((waiter) => waiter.change > change)
    for (const { resolve } of told) resolve()
  }

  #failed(error: unknown): void {
    if (this.#abort.signal.aborted || this.#failing) return
    this.#failing = true
    const { code, message } = CoveyError.from(error)
    this.#options.log.warn({ code, reason: message }, 'the presence service does not answer')
  }

  /** Waits until something changed since the last announcement, at most `limitMs`. */
  async #change(limitMs: number): Promise<void> {
    if (this.#changes > this.#told || this.#abort.signal.aborted) return
    let timer: Timer | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = this.#options.clock.after(limitMs, resolve)
    })
    this.#wake = undefined
    timer?.stop()
  }
}
