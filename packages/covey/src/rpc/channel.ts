import type { Balancer } from '../balance/balancer.ts'
import type { Clock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import type { Connection } from '../transport/transport.ts'
import { Endpoint } from './endpoint.ts'

/** What a channel is made from. */
export interface ChannelOptions {
  /** Name of the service, for messages. */
  readonly service: string
  /** Where the list of instances comes from, for messages: `registry file:.covey/registry`. */
  readonly source: string
  /** The instances, now and after each change. */
  readonly instances: AsyncIterable<readonly Instance[]>
  readonly balancer: Balancer
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /**
   * How long a call waits for a first list and a first connection, in milliseconds. With `Infinity` it also waits while
   * connections are down, until its deadline.
   */
  readonly firstConnectionMs: number
  /** Told when the state of an instance is another one. */
  onChange?(endpoints: readonly Endpoint[]): void
  connect(instance: Instance, signal: AbortSignal): Promise<Connection>
}

/** Other instances that are tried when one refuses a call without having run it. */
const maxDetours = 2

const nobody: readonly Endpoint[] = []

/**
 * The way to one service: knows its instances, keeps a connection to each, and picks one for each call. It
 * repeats a call only when the first instance certainly did not run it.
 */
export class Channel {
  readonly invoke = (call: Call): Promise<unknown> => this.#invoke(call)
  readonly #options: ChannelOptions
  readonly #endpoints = new Map<string, Endpoint>()
  #ready: Endpoint[] = []
  #listed = false
  #closed = false
  #waiting: (() => void)[] = []

  constructor(options: ChannelOptions) {
    this.#options = options
    void this.#follow()
  }

  /** Tries again now where a connection is waited for. */
  hurry(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.hurry()
  }

  /** Closes all connections; calls in flight fail. */
  async close(): Promise<void> {
    this.#closed = true
    this.#changed()
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()))
  }

  #invoke(call: Call): Promise<unknown> {
    const endpoint = this.#pick(call)
    if (endpoint !== undefined) return this.#send(call, endpoint, nobody)
    return this.#waitForOne(call).then((found) => this.#send(call, found, nobody))
  }

  #send(call: Call, endpoint: Endpoint, refused: readonly Endpoint[]): Promise<unknown> {
    const result = endpoint.invoke(call, this.#ready.length > 1)
    if (refused.length === maxDetours || this.#endpoints.size === 1) return result
    return result.catch((error: unknown) => this.#detour(call, [...refused, endpoint], error))
  }

  /** Refused without having been run, while another instance is there: ask that one. */
  #detour(call: Call, refused: readonly Endpoint[], error: unknown): Promise<unknown> {
    const { code } = CoveyError.from(error)
    const notRun = code === 'DRAINING' || code === 'UNAVAILABLE'
    const others = this.#ready.filter((other) => other.ready && !refused.includes(other))
    const bound = call.routing?.instance !== undefined
    if (!notRun || others.length === 0 || bound || call.cancelled !== undefined) throw error
    return this.#send(call, this.#options.balancer(others), refused)
  }

  #pick(call: Call): Endpoint | undefined {
    const wanted = call.routing?.instance
    if (wanted !== undefined) {
      const endpoint = this.#endpoints.get(wanted)
      return endpoint?.ready ? endpoint : undefined
    }
    if (this.#ready.length === 0) return undefined
    const endpoint = this.#options.balancer(this.#ready)
    if (endpoint.ready) return endpoint
    // It went away or began to drain since the list was made.
    this.#ready = this.#best()
    return this.#pick(call)
  }

  /**
   * Waits while an answer is still to be expected: until the first list is there and until connections that are
   * being opened are open. Otherwise fails at once, saying why.
   */
  async #waitForOne(call: Call): Promise<Endpoint> {
    const { clock, firstConnectionMs } = this.#options
    const untilMs = Math.min(call.deadlineMs, clock.monotonicMs() + firstConnectionMs)
    for (;;) {
      if (call.cancelled !== undefined) throw call.cancelled
      const endpoint = this.#pick(call)
      if (endpoint !== undefined) return endpoint
      const leftMs = untilMs - clock.monotonicMs()
      if (leftMs <= 0 || this.#closed || !this.#hopeful(call)) throw this.#unavailable(call)
      await this.#change(leftMs, call)
    }
  }

  #hopeful(call: Call): boolean {
    if (!this.#listed || this.#options.firstConnectionMs === Number.POSITIVE_INFINITY) return true
    const wanted = call.routing?.instance
    if (wanted !== undefined) return this.#endpoints.get(wanted)?.state.is === 'connecting'
    return [...this.#endpoints.values()].some(({ state }) => state.is === 'connecting')
  }

  #change(limitMs: number, call: Call): Promise<void> {
    return new Promise((resolve) => {
      const finite = limitMs !== Number.POSITIVE_INFINITY
      const timer = finite ? this.#options.clock.after(limitMs, done) : undefined
      function done() {
        timer?.stop()
        call.offCancel(done)
        resolve()
      }
      call.onCancel(done)
      this.#waiting.push(done)
    })
  }

  #unavailable(call: Call): CoveyError {
    const { service } = this.#options
    if (this.#closed) return new CoveyError('UNAVAILABLE', `${service}: the client is closed`)
    const wanted = call.routing?.instance
    const tried = [...this.#endpoints.values()]
      .filter(({ instance }) => wanted === undefined || instance.id === wanted)
      .map((endpoint) => endpoint.describe())
    const who = wanted === undefined ? service : `instance ${wanted} of ${service}`
    const { source } = this.#options
    const why = this.#listed ? `no instance in ${source}` : `${source} has not answered`
    const message = `${who}: ${tried.length === 0 ? why : tried.join('; ')}`
    return new CoveyError('UNAVAILABLE', message, { details: { service, instances: tried } })
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
        known.listed = true
      }
    }
    for (const endpoint of this.#endpoints.values()) {
      if (!listed.has(endpoint.instance.id)) endpoint.listed = false
    }
    this.#listed = true
    this.#changed()
  }

  #open(instance: Instance): Endpoint {
    const { clock, random, connect } = this.#options
    return new Endpoint(instance, { clock, random, connect, onChange: () => this.#changed() })
  }

  #changed(): void {
    // An instance that the registry lost but that still answers goes on serving.
    for (const [id, endpoint] of this.#endpoints) {
      if (endpoint.listed || endpoint.ready || endpoint.pending > 0) continue
      this.#endpoints.delete(id)
      void endpoint.close()
    }
    this.#ready = this.#best()
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
    this.#options.onChange?.([...this.#endpoints.values()])
  }
  /** Those that calls may go to now: what the registry calls up, otherwise whatever answers. */
  #best(): Endpoint[] {
    const ready = [...this.#endpoints.values()].filter((endpoint) => endpoint.ready)
    const best = ready.filter(({ listed, instance }) => listed && instance.state === 'up')
    return best.length > 0 ? best : ready
  }
}
