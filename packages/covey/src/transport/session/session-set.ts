import type { Peer } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import type { Served } from '../create-listener.ts'
import { instanceStopping } from '../endings.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import type { Pipe } from './pipe.ts'
import { SendBudget } from './send-budget.ts'
import {
  ServerSession,
  type ServerSessionEvents,
  type ServerSessionOptions,
} from './server-session.ts'

let connectionsMade = 0

/**
 * A client that has said nothing of use for this long gives its place up to the next one, in milliseconds: one that means
 * it sends its hello with the first bytes.
 */
const patienceMs = 500

/** Ends of connections that somebody should look into, … */
const notable: readonly string[] = ['INTEGRITY_FAILED', 'UNAUTHENTICATED', 'RESOURCE_EXHAUSTED']
/** … but strangers must not fill the log: time between two lines, in milliseconds. */
const quietMs = 10_000

/** The sessions of one listener, with their common end. */
export class SessionSet implements Served {
  readonly #dispatcher: Dispatcher
  readonly #options: ServerSessionOptions
  readonly #sessions = new Set<ServerSession>()
  /** Those whose handshake is not done, the oldest first, with their beginning. */
  readonly #greeting = new Map<ServerSession, number>()
  readonly #warn: ReturnType<typeof rareWarning>
  /** The same for all of them: an idle connection should hold little. */
  readonly #events: ServerSessionEvents = {
    onIdle: () => this.#changed(),
    onReady: (session) => void this.#greeting.delete(session),
    onClosed: (reason, session) => {
      if (reason !== undefined) this.#note(session.origin, reason)
      this.#sessions.delete(session)
      this.#greeting.delete(session)
      this.#changed()
    },
  }
  #goingAway = false
  #draining = false
  #onChange: (() => void)[] = []

  constructor(dispatcher: Dispatcher, options: ListenOptions) {
    this.#dispatcher = dispatcher
    const budget = new SendBudget(options.limits.maxListenerQueuedBytes)
    this.#options = { ...options, budget }
    this.#warn = rareWarning(options.log, options.clock, quietMs)
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Serves a new connection. */
  add(pipe: Pipe): void {
    connectionsMade += 1
    const id = `${this.#dispatcher.instance}/${connectionsMade}`
    const session = new ServerSession(pipe, this.#dispatcher, this.#options, id, this.#events)
    this.#sessions.add(session)
    if (this.#draining) return session.refuse(instanceStopping(this.#dispatcher.instance))
    if (this.#goingAway) session.goAway()
    const { clock, limits } = this.#options
    if (this.#greeting.size >= limits.maxHandshakes && !this.#makeRoom(pipe)) {
      return this.#turnAway(session, pipe)
    }
    this.#greeting.set(session, clock.monotonicMs())
  }

  /** Lets go of the client that has been silent for longest, if one has been for too long. */
  #makeRoom(pipe: Pipe): boolean {
    const before = this.#options.clock.monotonicMs() - patienceMs
    for (const [session, sinceMs] of this.#greeting) {
      if (sinceMs > before) return false
      if (!session.waitsForClient) continue
      this.#greeting.delete(session)
      this.#turnAway(session, pipe)
      return true
    }
    return false
  }

  #turnAway(session: ServerSession, pipe: Pipe): void {
    const { maxHandshakes } = this.#options.limits
    const message = `${maxHandshakes} connections are shaking hands; try again in a moment`
    const reason = new CoveyError('RESOURCE_EXHAUSTED', message)
    this.#note(pipe, reason)
    session.refuse(reason)
  }

  /** Takes no new calls but those that are served to the end, from newcomers too. */
  goAway(): void {
    this.#goingAway = true
    for (const session of this.#sessions) session.goAway()
  }

  /** Takes no new connections either; resolves when no call runs and none is on its way, or when `signal` aborts. */
  async drain(signal?: AbortSignal): Promise<void> {
    this.#goingAway = true
    this.#draining = true
    for (const session of this.#sessions) session.drain()
    const busy = () => [...this.#sessions].some((session) => session.busy)
    const onAbort = () => this.#changed()
    signal?.addEventListener('abort', onAbort, { once: true })
    while (busy() && !signal?.aborted) await this.#nextChange()
    signal?.removeEventListener('abort', onAbort)
  }

  /** Who is connected now. */
  *peers(): Generator<Peer> {
    for (const { peer } of this.#sessions) if (peer !== undefined) yield peer
  }

  /** Tells the peers that match why they are cut off, and closes their sessions. */
  disconnect(matches: (peer: Peer) => boolean, reason: CoveyError): void {
    for (const session of [...this.#sessions]) {
      if (session.peer !== undefined && matches(session.peer)) session.refuse(reason)
    }
  }

  /** Closes all sessions; resolves when they are gone. */
  async close(): Promise<void> {
    this.#draining = true
    for (const session of this.#sessions) session.close()
    while (this.#sessions.size > 0) await this.#nextChange()
  }

  #note({ protocol, address }: Pick<Pipe, 'protocol' | 'address'>, reason: CoveyError): void {
    const { code, message } = reason
    if (!notable.includes(code)) return
    this.#warn({ code, peer: address, protocol }, `a connection was closed: ${message}`)
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve))
  }

  #changed(): void {
    const waiting = this.#onChange
    this.#onChange = []
    for (const resume of waiting) resume()
  }
}
