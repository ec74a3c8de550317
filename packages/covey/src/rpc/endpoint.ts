import type { Candidate } from '../balance/balancer.ts'
import { type Backoff, createBackoff } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { PeakEwma } from '../base/peak-ewma.ts'
import type { Call } from '../call/call.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Connection } from '../transport/transport.ts'

/** Where the connection of an endpoint stands. */
export type EndpointState =
  /** `after` is why the try before failed; undefined for the first one. */
  | { readonly is: 'connecting'; readonly after: CoveyError | undefined }
  | { readonly is: 'ready'; readonly connection: Connection }
  | {
      readonly is: 'waiting'
      readonly error: CoveyError
      readonly untilMs: number
      readonly timer: Timer
    }
  | { readonly is: 'closed' }

/** What an endpoint needs. */
export interface EndpointOptions {
  readonly clock: Clock
  /** Opens a connection to the instance. */
  connect(instance: Instance, signal: AbortSignal): Promise<Connection>
  /** Its state, or what it serves, is another one now. */
  onChange(): void
  readonly random: () => number
}

/**
 * The connection to one instance: opened at once, opened again with jittered backoff for as long as the instance
 * is listed, and measured.
 */
export class Endpoint implements Candidate {
  instance: Instance
  /** Whether the registry still lists it. One that is not listed is used up, never reconnected. */
  listed = true
  readonly #options: EndpointOptions
  readonly #latency: PeakEwma
  readonly #backoff: Backoff
  readonly #abort = new AbortController()
  #state: EndpointState = { is: 'connecting', after: undefined }

  constructor(instance: Instance, options: EndpointOptions) {
    this.instance = instance
    this.#options = options
    this.#latency = new PeakEwma(options.clock)
    this.#backoff = createBackoff({ random: options.random })
    void this.#connect()
  }

  get state(): EndpointState {
    return this.#state
  }

  /** Whether it takes calls now. */
  get ready(): boolean {
    return this.#state.is === 'ready' && this.#state.connection.state === 'open'
  }

  get pending(): number {
    return this.#state.is === 'ready' ? this.#state.connection.pending : 0
  }

  get latencyMs(): number {
    return this.#latency.valueMs
  }

  get weight(): number {
    return this.instance.weight
  }

  /**
   * Sends a call. Only when `ready`.
   * @param measured whether its time is of use: there is another instance to compare with
   */
  invoke(call: Call, measured = true): Promise<unknown> {
    if (this.#state.is !== 'ready') {
      return Promise.reject(new CoveyError('UNAVAILABLE', `no connection to ${this.instance.id}`))
    }
    if (!measured) return this.#state.connection.invoke(call)
    const { clock } = this.#options
    const startMs = clock.monotonicMs()
    const result = this.#state.connection.invoke(call)
    const elapsedMs = () => clock.monotonicMs() - startMs
    // A failure is only believed when it is bad news: one that fails at once must not look quick.
    result.then(
      () => this.#latency.add(elapsedMs()),
      () => this.#latency.add(Math.max(elapsedMs(), this.#latency.valueMs)),
    )
    return result
  }

  /** Tries again now instead of waiting for the backoff; for when the network is known to be back. */
  hurry(): void {
    if (this.#state.is !== 'waiting') return
    this.#state.timer.stop()
    this.#backoff.reset()
    void this.#connect()
  }

  /** Why it takes no calls, for messages. */
  describe(): string {
    const { id } = this.instance
    const state = this.#state
    if (state.is === 'ready') return `${id}: ${state.connection.state}`
    if (state.is === 'closed') return `${id}: closed`
    if (state.is === 'connecting') {
      const after = state.after === undefined ? '' : ` again, after: ${state.after.message}`
      return `${id}: connecting${after}`
    }
    const againMs = Math.max(0, Math.round(state.untilMs - this.#options.clock.monotonicMs()))
    return `${id}: ${state.error.message}; next try in ${againMs} ms`
  }

  async close(): Promise<void> {
    const state = this.#state
    if (state.is === 'closed') return
    this.#state = { is: 'closed' }
    this.#abort.abort()
    if (state.is === 'waiting') state.timer.stop()
    if (state.is === 'ready') await state.connection.close()
  }

  async #connect(): Promise<void> {
    const after = this.#state.is === 'waiting' ? this.#state.error : undefined
    this.#state = { is: 'connecting', after }
    try {
      const connection = await this.#options.connect(this.instance, this.#abort.signal)
      if ((this.#state as EndpointState).is === 'closed') return void connection.close()
      this.#backoff.reset()
      this.#state = { is: 'ready', connection }
      void connection.closed.then((reason) => this.#lost(reason))
    } catch (error) {
      this.#wait(CoveyError.from(error))
    }
    this.#options.onChange()
  }

  #lost(reason: CoveyError | undefined): void {
    if (this.#state.is === 'closed') return
    this.#wait(reason ?? new CoveyError('UNAVAILABLE', 'the connection was closed'))
    this.#options.onChange()
  }

  #wait(error: CoveyError): void {
    if (this.#state.is === 'closed') return
    const delayMs = this.#backoff.next()
    const { clock } = this.#options
    const timer = clock.after(delayMs, () => {
      if (this.listed) void this.#connect()
    })
    this.#state = { is: 'waiting', error, untilMs: clock.monotonicMs() + delayMs, timer }
  }
}
