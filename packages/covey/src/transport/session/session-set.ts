import type { Peer } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import { addressGroup } from '../address-group.ts'
import { AddressShares, type Holder } from '../address-shares.ts'
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

/** Where a connection comes from. */
type Origin = Pick<Pipe, 'protocol' | 'address'>

/** A session whose handshake is not done. */
interface Greeting extends Holder {
  readonly session: ServerSession
  readonly sinceMs: number
}

/** The sessions of one listener, with their common end. */
export class SessionSet implements Served {
  readonly #dispatcher: Dispatcher
  readonly #options: ServerSessionOptions
  readonly #sessions = new Set<ServerSession>()
  /** Those whose handshake is not done, the oldest first. */
  readonly #greeting = new Map<ServerSession, Greeting>()
  readonly #shares: AddressShares
  readonly #warn: ReturnType<typeof rareWarning>
  /** The same for all of them: an idle connection should hold little. */
  readonly #events: ServerSessionEvents = {
    onIdle: () => this.#changed(),
    onPutOff: ({ protocol, address }) => {
      const { maxEarlyCancels } = this.#options.limits
      const what = `a connection gives up most of its calls at once, more than ${maxEarlyCancels} in 10 s`
      this.#warn({ peer: address, protocol }, `${what}: further ones are begun up to 100 ms later`)
    },
    onReady: (session) => this.#greeted(session),
    onClosed: (reason, session) => {
      if (reason !== undefined) this.#note(session.origin, reason)
      this.#sessions.delete(session)
      this.#greeted(session)
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
    this.#shares = new AddressShares(options.limits.maxHandshakes)
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
    const group = groupOf(pipe)
    if (this.#greeting.size >= limits.maxHandshakes && !this.#makeRoom(group)) {
      return this.#turnAway(session, pipe)
    }
    this.#greeting.set(session, { session, group, sinceMs: clock.monotonicMs() })
    this.#shares.add(group)
  }

  /** The handshake of a session is over, one way or the other. */
  #greeted(session: ServerSession): void {
    const greeting = this.#greeting.get(session)
    if (greeting === undefined) return
    this.#greeting.delete(session)
    this.#shares.remove(greeting.group)
  }

  /** Lets go of a client of an address that has too many, or of the one that has been silent for longest, if one has been for too long. */
  #makeRoom(newcomer: string): boolean {
    const before = this.#options.clock.monotonicMs() - patienceMs
    const out = this.#shares.yielding(this.#waiting(), newcomer, ({ sinceMs }) => sinceMs <= before)
    if (out === undefined) return false
    this.#greeted(out.session)
    this.#turnAway(out.session, out.session.origin)
    return true
  }

  /** Those who keep this side waiting, and not the other way round. */
  *#waiting(): Generator<Greeting> {
    for (const greeting of this.#greeting.values()) {
      if (greeting.session.waitsForClient) yield greeting
    }
  }

  #turnAway(session: ServerSession, origin: Origin): void {
    const { maxHandshakes } = this.#options.limits
    const message = `${maxHandshakes} connections are shaking hands; try again in a moment`
    const reason = new CoveyError('RESOURCE_EXHAUSTED', message)
    this.#note(origin, reason)
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

  #note({ protocol, address }: Origin, reason: CoveyError): void {
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

/** The address of a pipe without its port. */
function groupOf({ protocol, address }: Origin): string {
  return protocol === 'unix' ? address : addressGroup(address.slice(0, address.lastIndexOf(':')))
}
