import type { NamedCandidate } from '../balance/by-key.ts'
import { hashOf } from '../balance/by-key.ts'
import { FailureRate } from '../balance/failure-rate.ts'
import type { Clock } from '../base/clock.ts'
import { PeakEwma } from '../base/peak-ewma.ts'
import type { Call } from '../call/call.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import { servedToTheEnd } from '../transport/served-to-the-end.ts'
import type { Connection, ConnectionEvents } from '../transport/transport.ts'
import type { CalleeInstance } from './callee-figures.ts'
import type { Ejection } from './ejection.ts'
import { isFixed } from './fixed-instance.ts'
import { instanceFault, wasCancelled } from './instance-fault.ts'
import { Subchannel, type SubchannelState } from './subchannel.ts'

/** Opens a connection to an instance, which tells of the changes of its state. */
export type Connect = (
  instance: Instance,
  signal: AbortSignal,
  events: ConnectionEvents,
) => Promise<Connection>

/** What an endpoint needs. */
export interface EndpointOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly connect: Connect
  /** How many connections are kept. Default 1. */
  readonly connections?: number | undefined
  /** Whether connections that were lost are to be opened again. Default: while it is listed. */
  wanted?(): boolean
  /** Its state, or what it serves, is another one now. */
  onChange(): void
  /** A call that was to be measured has failed, and that may be its fault. */
  onFault?(): void
}

/** More than the calls that any connection has in flight. */
const stalledLoad = 1e9

/**
 * The connections to one instance: opened at once, opened again for as long as the instance is listed, and measured. Of several
 * the one with the fewest calls in flight is used, so that one that is held up holds nobody else up.
 */
export class Endpoint implements NamedCandidate {
  instance: Instance
  /** Whether the registry still lists it. One that is not listed is used up, never reconnected. */
  listed = true
  readonly hash: number
  /** How many of its measured calls fail. */
  readonly failures: FailureRate
  /** Of the last call that counts as failed. */
  lastFault = ''
  /** Whether and why it is left out; undefined where it never was. */
  ejection: Ejection | undefined
  readonly #clock: Clock
  readonly #onChange: () => void
  readonly #onFault: (() => void) | undefined
  readonly #latency: PeakEwma
  readonly #subchannels: readonly Subchannel[] = []
  /** Where there is one connection, as nearly always, each call saves the loops. */
  readonly #only: Subchannel | undefined
  /** As of the last change. */
  #stalled = false
  /** Times of calls that were begun in another one do not count. */
  #era = 0
  #turn = 0
  #batch: object | undefined
  #batchSubchannel: Subchannel | undefined

  constructor(instance: Instance, options: EndpointOptions) {
    const { clock, random, connect, onChange, connections = 1 } = options
    this.instance = instance
    this.hash = hashOf(instance.id)
    this.#clock = clock
    this.#onChange = onChange
    this.#onFault = options.onFault
    this.failures = new FailureRate(clock.monotonicMs())
    this.#latency = new PeakEwma(clock)
    this.#subchannels = Array.from({ length: connections }, () => {
      const subchannel: Subchannel = new Subchannel({
        clock,
        random,
        onChange: () => this.#changed(),
        onStalled: () => this.#onStalled(subchannel),
        connect: (signal, events) => connect(this.instance, signal, events),
        wanted: () => this.listed && (options.wanted?.() ?? true),
        serving: () => this.listed && this.instance.state === 'up',
      })
      return subchannel
    })
    this.#only = connections === 1 ? this.#subchannels[0] : undefined
  }

  /** That of its best connection. */
  get state(): SubchannelState {
    return this.#best().state
  }

  /** Whether it takes calls now. */
  get ready(): boolean {
    if (this.#only !== undefined) return this.#only.ready
    return this.#subchannels.some(({ ready }) => ready)
  }

  /**
   * Whether it stands still, as far as can be seen: it takes calls, but none of its connections was heard since it was asked. New
   * calls had better go elsewhere.
   */
  get stalled(): boolean {
    if (this.#only !== undefined) return this.#only.stalled
    let stalled = false
    for (const one of this.#subchannels) {
      if (one.ready && !one.stalled && !one.suspect) return false
      stalled ||= one.stalled
    }
    return stalled
  }

  /** Whether it is left out because its calls failed, or is being tried again. */
  get ejected(): boolean {
    return this.ejection?.active ?? false
  }

  /** Whether it takes no calls but those that are served to the end. */
  get lingering(): boolean {
    return !this.ready && this.#subchannels.some(({ lingering }) => lingering !== undefined)
  }

  get pending(): number {
    if (this.#only !== undefined) return this.#only.pending
    let pending = 0
    for (const subchannel of this.#subchannels) pending += subchannel.pending
    return pending
  }

  get latencyMs(): number {
    return this.#latency.valueMs
  }

  get weight(): number {
    return this.instance.weight
  }

  /**
   * The id of the instance; where only an address is known, the id that was told there, and undefined until it was.
   */
  get id(): string | undefined {
    if (!isFixed(this.instance)) return this.instance.id
    const { state } = this
    return state.is === 'ready' ? state.connection.instance : undefined
  }

  /**
   * Sends a call. Only when `ready`, or one that is served to the end when `lingering`.
   * @param measured whether its time is of use: there is another instance to compare with
   */
  invoke(call: Call, measured = true): Promise<unknown> {
    const subchannel = this.#subchannelFor(call)
    const { state } = subchannel
    if (state.is !== 'ready') return this.#sendLate(call)
    // The time of a stream says nothing about the instance, and that it began says nothing about the connection.
    if (call.method.kind !== 'unary') return state.connection.invoke(call)
    const startMs = measured ? this.#clock.monotonicMs() : 0
    const result = state.connection.invoke(call)
    if (subchannel.onTrial) subchannel.watch(state.connection, result)
    // Nor does the time of a question that waits for something else.
    if (!measured || servedToTheEnd(call.method)) return result
    const era = this.#era
    result.then(
      () => this.#answered(startMs, era),
      (error: unknown) => this.#failed(startMs, era, error),
    )
    return result
  }

  #answered(startMs: number, era: number): void {
    if (era === this.#era) {
      this.#latency.add(this.#clock.monotonicMs() - startMs)
      this.failures.countAnswer()
      this.ejection?.answered()
    } else this.ejection?.unknown()
  }

  #failed(startMs: number, era: number, error: unknown): void {
    if (era !== this.#era) return this.ejection?.unknown()
    // A failure is only believed when it is bad news: one that fails at once must not look quick.
    this.#latency.add(Math.max(this.#clock.monotonicMs() - startMs, this.#latency.valueMs))
    const fault = instanceFault(error)
    if (fault !== undefined) {
      this.lastFault = fault
      this.failures.countFailure()
      this.ejection?.failed()
      this.#onFault?.()
    } else if (wasCancelled(error)) this.ejection?.unknown()
    else {
      this.failures.countAnswer()
      this.ejection?.answered()
    }
  }

  /** What becomes of calls that it has in flight, and became of those before, says nothing of it any more. */
  forgetCalls(): void {
    this.#era += 1
    this.failures.reset(this.#clock.monotonicMs())
  }

  /** By a connection that is being left. */
  #sendLate(call: Call): Promise<unknown> {
    const connection = this.#subchannels.find(({ lingering }) => lingering)?.lingering
    if (connection !== undefined) return connection.invoke(call)
    return Promise.reject(new CoveyError('UNAVAILABLE', `no connection to ${this.instance.id}`))
  }

  /** Tries again now instead of waiting for the backoff; for when the network is known to be back. */
  hurry(): void {
    for (const subchannel of this.#subchannels) subchannel.hurry()
  }

  /** The registry lists it again. */
  relist(): void {
    this.listed = true
    this.wake()
  }

  /** Connections that were given up meanwhile are opened now. */
  wake(): void {
    for (const subchannel of this.#subchannels) subchannel.wake()
  }

  /** How it stands, for people. */
  get figures(): CalleeInstance {
    const { instance, pending, latencyMs, ready, ejected } = this
    const state = ready && ejected ? this.ejection!.describe() : this.#best().describe()
    return { id: instance.id, state, pending, latencyMs }
  }

  /** Why it takes no calls, for messages. */
  describe(): string {
    const [{ id }, why] = [this.instance, this.#best().describe()]
    // Where only the address is known it is the id, and errors of connecting begin with it.
    return why.startsWith(`${id}: `) ? why : `${id}: ${why}`
  }

  async close(): Promise<void> {
    await Promise.all(this.#subchannels.map((subchannel) => subchannel.close()))
  }

  /** The calls of a batch go together. */
  #subchannelFor({ batch }: Call): Subchannel {
    if (this.#only !== undefined) return this.#only
    const last = this.#batchSubchannel
    if (batch !== undefined && batch === this.#batch && last?.ready && !last.stalled) return last
    const subchannel = this.#leastPending()
    if (batch !== undefined) {
      this.#batch = batch
      this.#batchSubchannel = subchannel
    }
    return subchannel
  }

  /**
   * Of those that are ready the one with the fewest calls in flight; of equals, each in its turn. One whose way is blocked only
   * where all are.
   */
  #leastPending(): Subchannel {
    const all = this.#subchannels
    this.#turn = (this.#turn + 1) % all.length
    let best = all[this.#turn]!
    let fewest = Number.POSITIVE_INFINITY
    for (let step = 0; step < all.length; step++) {
      const subchannel = all[(this.#turn + step) % all.length]!
      if (!subchannel.ready) continue
      const load = subchannel.pending + (subchannel.stalled ? stalledLoad : 0)
      if (load >= fewest) continue
      best = subchannel
      fewest = load
    }
    return best
  }

  /**
   * What stands still is nearly always the process, behind all of its connections, and those that are idle do not know. So
   * they ask; where one is answered, it was only the way of the other.
   */
  #onStalled({ stalled }: Subchannel): void {
    for (const one of this.#subchannels) {
      if (stalled) one.suspectStall()
      else one.clearSuspicion()
    }
    this.#changed()
  }

  /** What calls took while it stood still says nothing of what they will take now: it begins anew as a measured instance. */
  #changed(): void {
    const { stalled } = this
    if (stalled !== this.#stalled) {
      this.#stalled = stalled
      this.#era += 1
      this.#latency.reset()
    }
    this.#onChange()
  }

  #best(): Subchannel {
    const all = this.#subchannels
    const connecting = all.find(({ state }) => state.is === 'connecting')
    const connected = all.find(({ state }) => state.is === 'ready')
    const ready = all.filter((one) => one.ready)
    return ready.find(({ stalled }) => !stalled) ?? ready[0] ?? connecting ?? connected ?? all[0]!
  }
}
