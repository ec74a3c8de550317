import { type Backoff, createBackoff } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Connection, ConnectionEvents } from '../transport/transport.ts'

/** Where a connection stands. */
export type SubchannelState =
  /** `after` is why the try before failed; undefined for the first one. */
  | { readonly is: 'connecting'; readonly after: CoveyError | undefined }
  | { readonly is: 'ready'; readonly connection: Connection; readonly sinceMs: number }
  | {
      readonly is: 'waiting'
      readonly error: CoveyError
      /** `Infinity` when that time came and no other try was wanted. */
      readonly untilMs: number
      readonly timer: Timer
    }
  | { readonly is: 'closed' }

/** What a subchannel needs. */
export interface SubchannelOptions {
  readonly clock: Clock
  readonly random: () => number
  /** Opens a connection, which tells of the changes of its state. */
  connect(signal: AbortSignal, events: ConnectionEvents): Promise<Connection>
  /** Whether another try is still of use. */
  wanted(): boolean
  /** Whether a connection that drains is to be replaced: the instance as such goes on. */
  serving(): boolean
  /** Its state is another one now. */
  onChange(): void
  /** The other end of its connection stands still, or was heard again. */
  onStalled(): void
}

/** A connection that drains sooner than this is not replaced at once, so that no loop comes of it. */
const shortLifeMs = 100

/**
 * A connection that has lived for so long, or has brought an answer, is a success; one that ends before is one more failure, so that
 * a server, or what stands before it, which accepts and drops at once is not asked again and again in a tight rhythm (grpc-go issues 954
 * and 1525). As long as the longest delay.
 */
const stableMs = 10_000

/**
 * One connection that is opened at once and, for as long as it is wanted, opened again with jittered backoff. One whose other
 * end wants no new calls is replaced at once, and kept until that closes it: it still answers what is served to the end.
 */
export class Subchannel {
  readonly #options: SubchannelOptions
  readonly #backoff: Backoff
  readonly #abort = new AbortController()
  readonly #leaving = new Set<Connection>()
  #state: SubchannelState = { is: 'connecting', after: undefined }
  /** Whether it is open, but not known to be a success. */
  #onTrial = false
  /** The connection that was asked whether its other end stands still. */
  #suspected: Connection | undefined

  constructor(options: SubchannelOptions) {
    this.#options = options
    this.#backoff = createBackoff({ random: options.random })
    void this.#connect()
  }

  get state(): SubchannelState {
    return this.#state
  }

  /** Whether it takes calls now. */
  get ready(): boolean {
    if (this.#state.is !== 'ready') return false
    const { state } = this.#state.connection
    return state === 'open' || state === 'stalled'
  }

  /** Whether its other end stands still: it was asked, and has said nothing. */
  get stalled(): boolean {
    return this.#state.is === 'ready' && this.#state.connection.state === 'stalled'
  }

  /** Whether its other end has not answered yet since it was suspected. */
  get suspect(): boolean {
    return this.#state.is === 'ready' && this.#state.connection === this.#suspected
  }

  /** Another connection to the same instance found it standing still: asks, for this one may have been idle. */
  suspectStall(): void {
    const state = this.#state
    if (state.is !== 'ready' || this.stalled || this.suspect) return
    const { connection } = state
    if (connection.probe === undefined) return
    this.#suspected = connection
    void connection.probe().then(() => this.clearSuspicion(connection))
  }

  /** The instance was heard. */
  clearSuspicion(connection = this.#suspected): void {
    if (this.#suspected === undefined || this.#suspected !== connection) return
    this.#suspected = undefined
    this.#options.onChange()
  }

  /** The newest connection whose other end takes no new calls but those that are served to the end. */
  get lingering(): Connection | undefined {
    const state = this.#state
    if (state.is === 'ready' && state.connection.state === 'draining') return state.connection
    let newest: Connection | undefined
    for (const connection of this.#leaving) if (connection.state === 'draining') newest = connection
    return newest
  }

  /** Whether the result of a call would be news: {@link watch} it. */
  get onTrial(): boolean {
    return this.#onTrial
  }

  /** Takes an answer that comes over the connection for its success. */
  watch(connection: Connection, result: Promise<unknown>): void {
    const onAnswer = () => {
      if (this.#state.is === 'ready' && this.#state.connection === connection) this.#succeed()
    }
    result.then(onAnswer, () => {})
  }

  /** Calls in flight, on connections that are being left too. */
  get pending(): number {
    let pending = this.#state.is === 'ready' ? this.#state.connection.pending : 0
    if (this.#leaving.size > 0)
      for (const connection of this.#leaving) pending += connection.pending
    return pending
  }

  /** Tries again now if no other try was wanted when it was time for one. */
  wake(): void {
    if (this.#state.is === 'waiting' && this.#state.untilMs === Number.POSITIVE_INFINITY)
      this.hurry()
  }

  /** Tries again now instead of waiting for the backoff. */
  hurry(): void {
    if (this.#state.is !== 'waiting') return
    this.#state.timer.stop()
    this.#backoff.reset()
    void this.#connect()
  }

  /** Why it takes no calls, for messages. */
  describe(): string {
    const state = this.#state
    if (state.is === 'ready') return describeConnection(state.connection)
    if (state.is === 'closed') return 'closed'
    if (state.is === 'connecting') {
      const after = state.after === undefined ? '' : ` again, after: ${state.after.message}`
      return `connecting${after}`
    }
    if (state.untilMs === Number.POSITIVE_INFINITY)
      return `${state.error.message}; given up for now`
    const againMs = Math.max(0, Math.round(state.untilMs - this.#options.clock.monotonicMs()))
    return `${state.error.message}; next try in ${againMs} ms`
  }

  async close(): Promise<void> {
    const state = this.#state
    if (state.is === 'closed') return
    this.#state = { is: 'closed' }
    this.#abort.abort()
    if (state.is === 'waiting') state.timer.stop()
    if (state.is === 'ready') this.#leaving.add(state.connection)
    await Promise.all([...this.#leaving].map((connection) => connection.close()))
  }

  async #connect(after?: CoveyError): Promise<void> {
    const { clock, connect, onChange } = this.#options
    this.#state = { is: 'connecting', after: this.#reason() ?? after }
    try {
      const connection = await connect(this.#abort.signal, {
        onDraining: () => this.#onDraining(),
        onStalled: () => this.#options.onStalled(),
      })
      if ((this.#state as SubchannelState).is === 'closed') return void connection.close()
      this.#onTrial = true
      this.#state = { is: 'ready', connection, sinceMs: clock.monotonicMs() }
      void connection.closed.then((reason) => this.#lost(connection, reason))
      if (connection.state === 'draining') this.#onDraining()
    } catch (error) {
      this.#wait(CoveyError.from(error))
    }
    onChange()
  }

  /** Why the connection before this one is none. */
  #reason(): CoveyError | undefined {
    return this.#state.is === 'waiting' ? this.#state.error : undefined
  }

  /** The other end takes no new calls on this connection; it may take them on another one. */
  #onDraining(): void {
    const state = this.#state
    if (state.is !== 'ready' || !this.#options.serving()) return
    const { connection, sinceMs } = state
    // One is enough to be asked, however many come and go.
    for (const left of this.#leaving) if (left.pending === 0) void left.close()
    this.#leaving.add(connection)
    const reason = new CoveyError('DRAINING', 'the other end takes no new calls')
    this.#judge(sinceMs)
    const early = this.#options.clock.monotonicMs() - sinceMs < shortLifeMs
    if (early || (this.#onTrial && this.#backoff.failures > 0)) this.#wait(reason)
    else {
      // The first one that drained soon is replaced without a gap, but counts.
      if (this.#onTrial) this.#backoff.next()
      void this.#connect(reason)
    }
    this.#options.onChange()
  }

  /** A connection ends that was open since then. */
  #judge(sinceMs: number): void {
    if (this.#options.clock.monotonicMs() - sinceMs >= stableMs) this.#succeed()
  }

  #succeed(): void {
    this.#onTrial = false
    this.#backoff.reset()
  }

  #lost(connection: Connection, reason: CoveyError | undefined): void {
    const left = this.#leaving.delete(connection)
    const state = this.#state
    if (state.is === 'closed') return
    if (!left && state.is === 'ready') this.#judge(state.sinceMs)
    if (!left) this.#wait(reason ?? new CoveyError('UNAVAILABLE', 'the connection was closed'))
    this.#options.onChange()
  }

  #wait(error: CoveyError): void {
    if (this.#state.is === 'closed') return
    const delayMs = this.#backoff.next()
    const { clock, wanted } = this.#options
    const timer = clock.after(delayMs, () => {
      if (wanted()) void this.#connect()
      else this.#state = { is: 'waiting', error, untilMs: Number.POSITIVE_INFINITY, timer }
    })
    this.#state = { is: 'waiting', error, untilMs: clock.monotonicMs() + delayMs, timer }
  }
}

function describeConnection({ state, stalledMs }: Connection): string {
  if (state !== 'stalled' || stalledMs === undefined) return state
  return `stalled: nothing heard for ${Math.round(stalledMs)} ms`
}
