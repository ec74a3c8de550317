import { EjectionPolicy, type EjectionSettings } from '../balance/ejection-policy.ts'
import { p2c } from '../balance/p2c.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { withoutUser } from '../base/without-user.ts'
import type { Routing } from '../call/routing.ts'
import { openRegistry } from '../discovery/open-registry.ts'
import type { Instance, Registry } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { RetrySettings } from '../middleware/retry-policy.ts'
import { type Log, silentLog } from '../observe/log.ts'
import { createHttpsTransport, httpTransport } from '../transport/http/http-transport.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import { demandsKey, type LinkOptions } from '../transport/link-options.ts'
import { createMemoryTransport } from '../transport/memory/memory-transport.ts'
import type { LiveKeyRing } from '../transport/tcp/create-key-ring.ts'
import { followKeyFiles } from '../transport/tcp/follow-key-files.ts'
import { tcpTransport, unixTransport } from '../transport/tcp/tcp-transport.ts'
import type { Connection, ConnectionEvents, Transport } from '../transport/transport.ts'
import { UnprovedPeers } from '../transport/unproved-peers.ts'
import type { CalleeFigures } from './callee-figures.ts'
import { Channel, type ChannelOptions } from './channel.ts'
import { ClientRetry } from './client-retry.ts'
import { fits } from './fits.ts'
import { always, fixedInstance, isFixed, targetsOf } from './fixed-instance.ts'
import {
  type LinkSettings,
  linksFor,
  type RuntimeLinks,
  readLinkSettings,
  saidOf,
} from './link-settings.ts'
import { createRuntimeTls, type RuntimeTls } from './runtime-tls.ts'

/** Settings of a runtime. */
export interface RuntimeOptions extends LinkSettings {
  /** A registry or its URL. Default `file:.covey/registry`. */
  registry?: Registry | string
  /** Bounds on what connections take. Missing ones have their defaults. */
  limits?: Partial<Limits>
  clock?: Clock
  log?: Log
  /** Numbers in [0, 1) for balancing and jitter. */
  random?: () => number
  /**
   * Connections to each instance, 1 to 16. Default 1, which carries the most calls; more of them keep small calls from waiting
   * behind large ones.
   */
  connectionsPerInstance?: number
  /** How calls are repeated. */
  retry?: RetrySettings
  /** When instances whose calls fail are left out. */
  ejection?: EjectionSettings
  /** Further ways to carry calls, by the scheme of their addresses. */
  transports?: readonly Transport[]
}

/** Connections to a `target` that nobody has called for so long are not opened again until somebody does, in milliseconds. */
const idleTargetMs = 300_000

/**
 * What the clients and servers of a process share: the registry, the connections, the clock. One is made by itself
 * for a process; tests make their own, so that they do not meet.
 */
export class Runtime implements AsyncDisposable {
  readonly limits: Limits
  readonly clock: Clock
  readonly log: Log
  readonly wheel: TimerWheel
  /** Numbers in [0, 1). */
  readonly random: () => number
  /** How its clients repeat calls. */
  readonly retry: ClientRetry
  /** When its clients leave out instances whose calls fail; to be changed at run time. */
  readonly ejection: EjectionPolicy
  /** Ways to carry calls beside those of the framework. */
  readonly givenTransports: readonly Transport[]
  readonly #connectionsPerInstance: number
  readonly #transports: ReadonlyMap<string, Transport>
  readonly #channels = new Map<string, Channel>()
  readonly #local = new Map<string, Instance>()
  /** Tell that an instance of this process is gone, by its id. */
  readonly #localEnds = new Map<string, AbortController>()
  readonly #closing = new AbortController()
  readonly #registryTarget: Registry | string
  /** Where instances are looked up, for messages. */
  readonly #source: string
  #registry: Promise<Registry> | undefined
  #links: RuntimeLinks
  #linksSaid: string | undefined
  #tls: RuntimeTls | undefined
  #keyFiles: AsyncDisposable | undefined
  #lateAnswers = 0
  readonly #onLateAnswer = (): void => {
    this.#lateAnswers += 1
  }
  readonly #unproved: UnprovedPeers

  /** @throws CoveyError `INVALID_SETTINGS` */
  constructor(options: RuntimeOptions) {
    const memory = createMemoryTransport()
    this.clock = options.clock ?? systemClock
    this.log = options.log ?? silentLog
    this.limits = Object.freeze({ ...defaultLimits, ...options.limits })
    this.wheel = new TimerWheel(this.clock)
    this.#unproved = new UnprovedPeers(this.clock, this.log)
    this.#links = this.#useLinks(options)
    this.#linksSaid = saidOf(options)
    this.random = options.random ?? Math.random
    this.retry = new ClientRetry({
      settings: options.retry,
      clock: this.clock,
      random: this.random,
    })
    this.ejection = new EjectionPolicy(options.ejection)
    this.#connectionsPerInstance = checkConnections(options.connectionsPerInstance ?? 1)
    const target = options.registry ?? 'file:.covey/registry'
    this.#registryTarget = target
    this.#source = typeof target === 'string' ? `registry ${withoutUser(target)}` : 'the registry'
    const own = [tcpTransport, unixTransport, memory, httpTransport, createHttpsTransport()]
    this.givenTransports = options.transports ?? []
    this.#transports = byProtocol(own, this.givenTransports)
  }

  /** The registry, opened at the first use. @throws CoveyError `INVALID_SETTINGS` if its URL is wrong */
  registry(): Promise<Registry> {
    this.#registry ??= openRegistry(this.#registryTarget, { log: this.log, clock: this.clock })
    return this.#registry
  }

  /** The keys that connections prove, if any; to be replaced at run time. */
  get keys(): LiveKeyRing | undefined {
    return this.#links.keys
  }

  /** Whether no connection is taken without a key. */
  get demandsKey(): boolean {
    return demandsKey(this.#links)
  }

  /** Answers to calls that its clients had given up, or that came twice. */
  get lateAnswers(): number {
    return this.#lateAnswers
  }

  /** How this process stands with what it has called, by service. */
  get callees(): readonly CalleeFigures[] {
    const all = [...this.#channels.values()].map((channel) => channel.figures)
    return all.sort((one, other) => one.service.localeCompare(other.service))
  }

  /** How connections from and to an address are guarded and packed. */
  links(address: string): LinkOptions {
    return linksFor(address, this.#links)
  }

  /**
   * Guards the connections that are made from now on; what an application does with its settings.
   * @param firm false for a guess that later settings may replace
   * @throws CoveyError `INVALID_SETTINGS`, or `START_FAILED` if something else was said before
   */
  guard(settings: LinkSettings, firm = true): void {
    const said = saidOf(settings)
    if (said === undefined || said === this.#linksSaid) return
    if (this.#linksSaid !== undefined) {
      const message =
        'covey.keys, keyMode, tls, integrity or compressAboveBytes: the runtime of this process has other ones already; give them in one place'
      throw new CoveyError('START_FAILED', message)
    }
    this.#useLinks(settings)
    if (firm) this.#linksSaid = said
  }

  /** Whether connections can be secured by certificates. */
  get tls(): boolean {
    return this.#tls !== undefined
  }

  #useLinks(settings: LinkSettings): RuntimeLinks {
    const { clock, log } = this
    this.#links = { ...readLinkSettings(settings), unproved: this.#unproved }
    const { tls, keys } = this.#links
    void this.#keyFiles?.[Symbol.asyncDispose]()
    this.#keyFiles = keys && followKeyFiles(keys, { clock, log })
    if (tls !== undefined) this.#tls = createRuntimeTls(tls, { clock, log })
    return this.#links
  }

  /** The transport for a URL. @throws TypeError if there is none for its scheme */
  transport(address: string): Transport {
    const scheme = address.slice(0, address.indexOf(':'))
    if (scheme === 'tls') {
      if (this.#tls !== undefined) return this.#tls.transport
      throw new TypeError(
        `address "${withoutUser(address)}": set covey.tls (cert, key and ca) to use it`,
      )
    }
    if (scheme === 'https' && this.#tls !== undefined) return this.#tls.https
    const transport = this.#transports.get(scheme)
    if (transport !== undefined) return transport
    const known = [...this.#transports.keys()].map((name) => `${name}:`).join(', ')
    throw new TypeError(`address "${withoutUser(address)}": use one that begins with ${known}`)
  }

  /**
   * The way to a service: the instance of this process if there is one that fits, otherwise those of the registry.
   * @param routing what the call asks for; one with a key goes by the registry, for all processes are to agree on it
   */
  channel(service: string, routing?: Routing): Channel {
    const local = this.#local.get(service)
    if (local === undefined || (routing !== undefined && !suffices(local, routing))) {
      return this.#shared(service, service, () => ({ instances: this.#watch(service) }))
    }
    const { signal } = this.#localEnds.get(local.id)!
    const key = `${service} in ${local.id}`
    return this.#shared(key, service, () => ({
      instances: always([local], signal),
      // Its calls in flight go on until it ends them.
      onChange: (left) => void (signal.aborted && left.length === 0 && this.#channels.delete(key)),
    }))
  }

  /** The way to a fixed address, or to all of a list. */
  channelTo(target: string | readonly string[], service: string): Channel {
    const targets = [...new Set(targetsOf(target))]
    for (const each of targets) this.transport(each)
    const instances = targets.map((each) => fixedInstance(each, [service]))
    const name = targets.join(' ')
    return this.#shared(name, service, () => ({
      instances: always(instances, this.#closing.signal),
      service: name,
      source: `target ${targets.map(withoutUser).join(', ')}`,
      fixed: true,
      idleMs: idleTargetMs,
    }))
  }

  /** Lets clients of this process reach an application of this process without a socket. */
  addLocal(instance: Instance): void {
    if (!this.#localEnds.has(instance.id)) this.#localEnds.set(instance.id, new AbortController())
    for (const service of instance.services) this.#local.set(service, instance)
  }

  removeLocal(instance: Instance): void {
    for (const service of instance.services) {
      if (this.#local.get(service)?.id === instance.id) this.#local.delete(service)
    }
    this.#localEnds.get(instance.id)?.abort()
    this.#localEnds.delete(instance.id)
  }

  /** Closes connections and the registry. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#channels.values()].map((channel) => channel.close()))
    this.#channels.clear()
    for (const end of this.#localEnds.values()) end.abort()
    // One that could not be opened was told to whoever asked for it.
    const registry = await this.#registry?.catch(() => undefined)
    await registry?.close()
    await this.#tls?.close()
    await this.#keyFiles?.[Symbol.asyncDispose]()
    this.#unproved[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *#watch(service: string): AsyncGenerator<readonly Instance[]> {
    const registry = await this.registry()
    yield* registry.watch(service, this.#closing.signal)
  }

  #shared(
    key: string,
    service: string,
    own: () => Pick<ChannelOptions, 'instances'> & Partial<ChannelOptions>,
  ): Channel {
    if (this.#closing.signal.aborted) {
      const details = { service, instances: [], closed: true }
      throw new CoveyError('UNAVAILABLE', `${service}: the client is closed`, { details })
    }
    const known = this.#channels.get(key)
    if (known !== undefined) return known
    const channel = new Channel({
      service,
      source: this.#source,
      balancer: p2c(this.random),
      clock: this.clock,
      log: this.log,
      random: this.random,
      firstConnectionMs: this.limits.connectMs + this.limits.handshakeMs,
      maxWaitingCalls: this.limits.maxWaitingCalls,
      maxWaitingBytes: this.limits.maxUnsentBytes,
      connectionsPerInstance: this.#connectionsPerInstance,
      ejection: this.ejection,
      connect: (instance, signal, events) => this.#connect(instance, signal, events),
      ...own(),
    })
    this.#channels.set(key, channel)
    return channel
  }

  /** An instance of this process is called directly. */
  #addresses({ id, addresses }: Instance): readonly string[] {
    for (const local of this.#local.values()) if (local.id === id) return local.addresses
    if (!this.demandsKey && !this.tls) return addresses
    // Never a way on which the server cannot prove what is demanded of it.
    const silent = this.tls ? /^http:/ : /^https?:/
    const proving = addresses.filter((address) => !silent.test(address))
    return proving.length > 0 ? proving : addresses
  }

  /** What a registry says of an address may be wrong; it is told as what it is. */
  #transportTo(address: string): Transport {
    try {
      const transport = this.transport(address)
      transport.check(address)
      return transport
    } catch (error) {
      throw new CoveyError('UNAVAILABLE', (error as Error).message, { cause: error })
    }
  }

  /** Tries the addresses of an instance in order. */
  async #connect(
    instance: Instance,
    signal: AbortSignal,
    events: ConnectionEvents,
  ): Promise<Connection> {
    const { limits, clock } = this
    const expected = isFixed(instance) ? undefined : instance.id
    let failure: unknown
    for (const address of this.#addresses(instance)) {
      try {
        const links = this.links(address)
        const known = {
          limits,
          clock,
          signal,
          instance: expected,
          onLateAnswer: this.#onLateAnswer,
        }
        const options = { ...links, ...known, ...events }
        return await this.#transportTo(address).connect(address, options)
      } catch (error) {
        failure = error
      }
    }
    throw failure ?? new CoveyError('UNAVAILABLE', `instance ${instance.id} has no address`)
  }
}

function byProtocol(
  own: readonly Transport[],
  given: readonly Transport[],
): ReadonlyMap<string, Transport> {
  const all = new Map(own.map((transport) => [transport.protocol, transport]))
  for (const transport of given) {
    const { protocol } = transport
    if (!/^[a-z][a-z0-9+-]*$/.test(protocol)) {
      throw new TypeError(`transports: "${protocol}" is no scheme of a URL`)
    }
    if (all.has(protocol) || protocol === 'tls') {
      throw new TypeError(`transports: there is one for ${protocol}: already`)
    }
    all.set(protocol, transport)
  }
  return all
}

function checkConnections(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= 16) return count
  throw new TypeError(`connectionsPerInstance: expected 1 to 16, found ${count}`)
}

/** Whether the instance of this process may take a call without asking the registry for others. */
function suffices(local: Instance, routing: Routing): boolean {
  return routing.key === undefined && fits(local, routing)
}

/** Makes a runtime of its own. Close it when done. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  return new Runtime(options)
}
