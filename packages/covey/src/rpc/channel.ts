import type { Balancer } from '../balance/balancer.ts'
import { byKey } from '../balance/by-key.ts'
import type { EjectionPolicy } from '../balance/ejection-policy.ts'
import type { Clock } from '../base/clock.ts'
import { roughBytes } from '../base/rough-bytes.ts'
import type { Call } from '../call/call.ts'
import { InputSource } from '../call/input-source.ts'
import { takesStream } from '../call/method-ref.ts'
import type { Routing } from '../call/routing.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { servedToTheEnd } from '../transport/served-to-the-end.ts'
import type { CalleeFigures } from './callee-figures.ts'
import { Ejections } from './ejections.ts'
import { type Connect, Endpoint } from './endpoint.ts'
import { fits } from './fits.ts'
import { lateForInstance, noInstance } from './no-instance.ts'
import { Selections } from './selections.ts'

/** What a channel is made from. */
export interface ChannelOptions {
  /** Name of the service; of fixed addresses, these. For messages and figures. */
  readonly service: string
  /** Whether it leads to whatever is at fixed addresses, so that errors name the service that was called. Default false. */
  readonly fixed?: boolean
  /** Where the list of instances comes from, for messages: `registry file:.covey/registry`. */
  readonly source: string
  /** The instances, now and after each change. */
  readonly instances: AsyncIterable<readonly Instance[]>
  /** Chooses for clients that bring no balancer of their own. */
  readonly balancer: Balancer
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /**
   * How long a call waits for a first list and a first connection, in milliseconds. With `Infinity` it also waits while
   * connections are down, until its deadline.
   */
  readonly firstConnectionMs: number
  /** Calls that may wait for it at the same time; further ones are refused. */
  readonly maxWaitingCalls: number
  /** What their inputs may take together, about, in bytes. */
  readonly maxWaitingBytes: number
  /** Connections to each instance. Default 1. */
  readonly connectionsPerInstance?: number
  /**
   * Without a call for so long, connections that were lost are not opened again until the next one, in milliseconds. Default: they
   * are, for as long as the instance is listed.
   */
  readonly idleMs?: number
  /** When instances whose calls fail are left out. Default: never. */
  readonly ejection?: EjectionPolicy
  /** Told when the state of an instance is another one. */
  onChange?(endpoints: readonly Endpoint[]): void
  readonly connect: Connect
}

/**
 * The way to one service: knows its instances, keeps connections to each, and picks one for each call, among those that
 * the call asks for. It sends a call once; a further attempt goes to an instance that none before it went to, if there is one.
 */
export class Channel {
  readonly invoke = (call: Call): Promise<unknown> => this.send(call)
  readonly #options: ChannelOptions
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #selections = new Selections((routing) => this.#best(routing))
  readonly #ejections: Ejections | undefined
  #ready: readonly Endpoint[] = []
  /** Whether there are others to compare an instance with. */
  #measured = false
  #listed = false
  /** Why the list of instances ended. */
  #failure: unknown
  #closed = false
  /** Whether it was called since a lost connection was to be opened again. */
  #called = true
  /** When that was seen. */
  #calledMs: number
  readonly #waiting = new Set<() => void>()
  #waitingCalls = 0
  #waitingBytes = 0

  constructor(options: ChannelOptions) {
    this.#options = options
    this.#calledMs = options.clock.monotonicMs()
    this.#ejections = options.ejection && this.#openEjections(options, options.ejection)
    void this.#follow()
  }

  /** Calls in flight. */
  get pending(): number {
    let pending = 0
    for (const endpoint of this.#endpoints.values()) pending += endpoint.pending
    return pending
  }

  /** Calls that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** How it stands with each instance. */
  get figures(): CalleeFigures {
    const instances = [...this.#endpoints.values()].map((endpoint) => endpoint.figures)
    return { service: this.#options.service, waiting: this.waiting, instances }
  }

  /** Tries again now where a connection is waited for. */
  hurry(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.hurry()
  }

  /** Closes all connections; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true
    this.#ejections?.close()
    this.#changed()
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()))
  }

  /** Carries out a call, at an instance that `balancer` chooses. */
  send(call: Call, balancer: Balancer = this.#options.balancer): Promise<unknown> {
    // A source that middleware put in place is watched as well: one that was begun cannot be sent again.
    if (takesStream(call.method.kind) && !(call.input instanceof InputSource)) {
      call.input = new InputSource(call.input, call.method.path)
    }
    if (!this.#called) this.#wake()
    const endpoint = this.#pick(call, balancer)
    if (endpoint !== undefined) return this.#sendTo(endpoint, call)
    return this.#waitForOne(call, balancer).then((found) => this.#sendTo(found, call))
  }

  /** Opens the connections that were given up while nobody called. */
  #wake(): void {
    this.#called = true
    for (const endpoint of this.#endpoints.values()) endpoint.wake()
  }

  /** Whether a connection that was lost is to be opened again. */
  #inUse(): boolean {
    const { idleMs = Number.POSITIVE_INFINITY, clock } = this.#options
    const nowMs = clock.monotonicMs()
    if (this.#called) this.#calledMs = nowMs
    this.#called = false
    return nowMs - this.#calledMs < idleMs
  }

  /** Whether an instance that neither this attempt nor one before it went to could take the call now. */
  hasOther(attempt: Call): boolean {
    return this.#untried(attempt, attempt).length > 0
  }

  #sendTo(endpoint: Endpoint, call: Call): Promise<unknown> {
    call.sentTo = endpoint
    return endpoint.invoke(call, this.#measured)
  }

  #pick(call: Call, balancer: Balancer): Endpoint | undefined {
    const all = this.#candidates(call)
    if (all.length === 0) return this.#lingering(call)
    if (this.#ejections?.due) {
      const ejected = this.#toBeTried(call)
      if (ejected !== undefined) return ejected
    }
    const others = call.previous === undefined ? all : this.#untried(call, call.previous)
    const endpoint = choose(others.length > 0 ? others : all, call, balancer)
    if (endpoint.ready) return endpoint
    // It went away or began to drain since the list was made.
    this.#refresh()
    return this.#pick(call, balancer)
  }

  /** One that was left out and that this call is to try. A call with a key tries only the instance that the key belongs to. */
  #toBeTried(call: Call): Endpoint | undefined {
    const { method, routing, previous } = call
    // What has failed before is not to fail here again; of other kinds of calls it is not known how they do.
    if (previous !== undefined || method.kind !== 'unary' || servedToTheEnd(method)) return
    const fitting = this.#fitting(routing).filter(({ ready }) => ready)
    const key = routing?.key
    const home = key === undefined ? undefined : byKey(key, fitting)
    return this.#ejections?.probe((one) => home === one || (!home && fitting.includes(one)))
  }

  /**
   * Those that the attempts up to `last` did not go to. One that is left out is better than none.
   */
  #untried(call: Call, last: Call): readonly Endpoint[] {
    const isUntried = (one: Endpoint) => one.ready && !wentTo(one, last)
    const found = this.#candidates(call).filter(isUntried)
    if (found.length > 0 || !this.#ejections?.any) return found
    return this.#fitting(call.routing).filter((one) => one.ejected && isUntried(one))
  }

  /** One that is stopping, for what is served to the end. */
  #lingering({ method, routing }: Call): Endpoint | undefined {
    if (!servedToTheEnd(method)) return undefined
    return this.#fitting(routing).find(({ lingering }) => lingering)
  }

  #candidates({ routing }: Call): readonly Endpoint[] {
    return routing === undefined ? this.#ready : this.#selections.of(routing)
  }

  /**
   * Waits while an answer is still to be expected: until the first list is there and until connections that are
   * being opened are open. Otherwise fails at once, saying why.
   */
  async #waitForOne(call: Call, balancer: Balancer): Promise<Endpoint> {
    const { clock, firstConnectionMs } = this.#options
    const firstMs = clock.monotonicMs() + firstConnectionMs
    const untilMs = Math.min(call.deadlineMs, firstMs)
    let bytes = 0
    this.#waitingCalls += 1
    try {
      for (;;) {
        const leftMs = untilMs - clock.monotonicMs()
        // Its time may have been found used up here or by the deadline of its stack; only here it is known what it waited for.
        const late = leftMs <= 0 && call.deadlineMs <= firstMs
        if (late) throw lateForInstance(call, this.#unavailable(call))
        if (call.cancelled !== undefined) throw call.cancelled
        const endpoint = this.#pick(call, balancer)
        if (endpoint !== undefined) return endpoint
        if (leftMs <= 0 || this.#closed || !this.#hopeful(call)) throw this.#unavailable(call)
        if (bytes === 0) {
          bytes = roughBytes(call.input)
          this.#waitingBytes += bytes
        }
        this.#requireRoom(call)
        await this.#change(leftMs, call)
      }
    } finally {
      this.#waitingCalls -= 1
      this.#waitingBytes -= bytes
    }
  }

  #requireRoom(call: Call): void {
    const { maxWaitingCalls, maxWaitingBytes } = this.#options
    const bytes = this.#waitingBytes > maxWaitingBytes
    if (!bytes && this.#waitingCalls <= maxWaitingCalls) return
    const what = bytes ? `${maxWaitingBytes} bytes of calls` : `${maxWaitingCalls} calls`
    throw new CoveyError(
      'RESOURCE_EXHAUSTED',
      `${this.#named(call)}: ${what} wait for a connection`,
    )
  }

  #hopeful(call: Call): boolean {
    if (!this.#listed) return true
    const fitting = this.#fitting(call.routing)
    if (this.#options.firstConnectionMs === Number.POSITIVE_INFINITY) return fitting.length > 0
    return fitting.some(({ state }) => state.is === 'connecting')
  }

  #change(limitMs: number, call: Call): Promise<void> {
    return new Promise((resolve) => {
      const finite = limitMs !== Number.POSITIVE_INFINITY
      const done = () => {
        timer?.stop()
        call.offCancel(done)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = finite ? this.#options.clock.after(limitMs, done) : undefined
      this.#waiting.add(done)
      call.onCancel(done)
    })
  }

  /** Of which service an error tells. */
  #named({ method }: Call): string {
    return this.#options.fixed ? method.service : this.#options.service
  }

  #unavailable(call: Call): CoveyError {
    const { routing } = call
    const service = this.#named(call)
    const source = this.#options.source
    if (this.#closed) {
      const details = { service, instances: [], closed: true }
      return new CoveyError('UNAVAILABLE', `${service}: the client is closed`, { details })
    }
    const all = [...this.#endpoints.values()]
    const fitting = this.#fitting(routing)
    const [listed, failure] = [this.#listed, this.#failure]
    return noInstance({ service, source, listed, failure, routing, fitting, all })
  }

  async #follow(): Promise<void> {
    try {
      for await (const instances of this.#options.instances) {
        if (this.#closed) return
        this.#update(instances)
      }
    } catch (error) {
      const fields = { err: error, service: this.#options.service }
      this.#options.log.error(fields, 'the list of instances ended; the last one stays')
      this.#listed = true
      this.#failure = error
      this.#changed()
    }
  }

  #update(instances: readonly Instance[]): void {
    const listed = new Set<string>()
    for (const instance of instances) {
      listed.add(instance.id)
      const known = this.#endpoints.get(instance.id)
      if (known === undefined) this.#endpoints.set(instance.id, this.#open(instance))
      else {
        known.instance = instance
        if (!known.listed) known.relist()
      }
    }
    for (const endpoint of this.#endpoints.values()) {
      if (!listed.has(endpoint.instance.id)) endpoint.listed = false
    }
    this.#listed = true
    this.#changed()
  }

  #open(instance: Instance): Endpoint {
    const { clock, random, connect, connectionsPerInstance: connections } = this.#options
    const onChange = () => this.#changed()
    const onFault = () => this.#ejections?.look()
    const wanted = () => this.#inUse()
    const told = { onChange, onFault, wanted }
    return new Endpoint(instance, { clock, random, connect, connections, ...told })
  }

  #openEjections({ clock, log, random, service }: ChannelOptions, policy: EjectionPolicy) {
    return new Ejections({
      ...{ policy, clock, log, random, service },
      all: () => this.#endpoints.values(),
      onChange: () => this.#changed(),
    })
  }

  #changed(): void {
    // An instance that the registry lost but that still answers goes on serving.
    for (const [id, endpoint] of this.#endpoints) {
      if (endpoint.listed || endpoint.ready || endpoint.lingering || endpoint.pending > 0) continue
      this.#endpoints.delete(id)
      void endpoint.close()
    }
    this.#ejections?.update()
    this.#refresh()
    for (const resume of [...this.#waiting]) resume()
    this.#options.onChange?.([...this.#endpoints.values()])
  }

  #refresh(): void {
    const ready = this.#fitting(undefined).filter((endpoint) => endpoint.ready)
    this.#measured = ready.length > 1
    this.#ready = this.#best()
    this.#selections.clear()
  }

  /**
   * Those that calls may go to now: what does not stand still, of that what does not fail, and of that what the registry calls up;
   * otherwise whatever answers.
   */
  #best(routing?: Routing): readonly Endpoint[] {
    const ready = this.#fitting(routing).filter((endpoint) => endpoint.ready)
    const awake = preferring(ready, ({ stalled }) => !stalled)
    const well = preferring(awake, ({ ejected }) => !ejected)
    return preferring(well, ({ listed, instance }) => listed && instance.state === 'up')
  }

  /** Those that a call asks for, ready or not. One that has not said yet who it is may be anybody. */
  #fitting(routing: Routing | undefined): readonly Endpoint[] {
    const all = [...this.#endpoints.values()]
    if (routing === undefined) return all
    return all.filter(({ instance, id = routing.instance }) => fits(instance, routing, id))
  }
}

/** Those that are as one would like them; if none is, all. */
function preferring(all: readonly Endpoint[], liked: (one: Endpoint) => boolean) {
  const found = all.filter(liked)
  return found.length > 0 ? found : all
}

function wentTo(endpoint: Endpoint, attempt: Call): boolean {
  for (let one: Call | undefined = attempt; one !== undefined; one = one.previous) {
    if (one.sentTo === endpoint) return true
  }
  return false
}

function choose(candidates: readonly Endpoint[], call: Call, balancer: Balancer): Endpoint {
  const key = call.routing?.key
  return key === undefined ? balancer(candidates) : byKey(key, candidates)
}
