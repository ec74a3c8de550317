import { type Clock, systemClock } from '../base/clock.ts'
import { sleep } from '../base/sleep.ts'
import type { Middleware } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { AnyService } from '../contract/define-service.ts'
import { checkInstance } from '../discovery/check-instance.ts'
import type { Instance, Lease } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Admission } from '../middleware/admission.ts'
import { CallMetrics } from '../observe/call-metrics.ts'
import { type Log, silentLog } from '../observe/log.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { createAcceptedWork } from '../rpc/create-accepted-work.ts'
import { type ClientOptions, createClient } from '../rpc/create-client.ts'
import { defaultRuntime } from '../rpc/default-runtime.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { drainAll } from '../rpc/drain-all.ts'
import type { HealthReport } from '../rpc/health.ts'
import { resultsElsewhere } from '../rpc/results-elsewhere.ts'
import type { Runtime } from '../rpc/runtime.ts'
import type { ServerStats } from '../rpc/stats.ts'
import type { FrameworkSettings } from '../settings/framework-settings.ts'
import type { RpcDoorOptions } from '../transport/http/call-desk.ts'
import type { Dispatcher, Listener } from '../transport/transport.ts'
import { announcedAddress } from './announced-address.ts'
import type { App, AppLabels, AppOptions } from './app.ts'
import type { AppContext, Resource } from './app-context.ts'
import { createAppLog } from './app-log.ts'
import { loadAppSettings } from './app-settings.ts'
import { endProcess } from './end-process.ts'
import { type ExitWatch, watchForExit } from './exit-watch.ts'
import { openAdmission } from './open-admission.ts'
import { openListeners } from './open-listeners.ts'
import { openProbe, type Probe } from './probe/open-probe.ts'
import { ResourceStack } from './resource-stack.ts'
import { isSystemService, middlewareFor, systemServices } from './system-services.ts'

/** The life of an application, from `start` to `stop`. */
export class AppLife implements App {
  readonly name: string
  readonly #options: AppOptions
  readonly #clock: Clock
  readonly #id: string
  readonly #startedAtMs: number
  readonly #metrics = new CallMetrics()
  readonly #stopping = new AbortController()
  #state: App['state'] = 'new'
  #log: Log = silentLog
  #settings: FrameworkSettings | undefined
  #work: AcceptedWork | undefined
  #admission: Admission | undefined
  #stack = new ResourceStack(silentLog)
  #instance: Instance | undefined
  #listeners: readonly Listener[] = []
  #exitWatch: ExitWatch | undefined
  #probe: Probe | undefined
  #stopped: Promise<void> | undefined

  constructor(options: AppOptions) {
    this.#options = options
    this.name = options.name
    this.#clock = options.runtime?.clock ?? systemClock
    this.#startedAtMs = this.#clock.wallMs()
    this.#id = `${options.name}-${crypto.randomUUID().slice(0, 13)}`
  }

  get state(): App['state'] {
    return this.#state
  }

  get instance(): Instance {
    if (this.#instance !== undefined) return this.#instance
    throw new CoveyError('FAILED_PRECONDITION', `${this.name} is not started`)
  }

  get address(): string {
    return this.instance.addresses[0]!
  }

  client<C extends Contract>(contract: C, options: Omit<ClientOptions, 'runtime'> = {}): Client<C> {
    return createClient(contract, { ...options, runtime: this.#runtime })
  }

  /** Registry and connections; known once the settings are. */
  get #runtime(): Runtime {
    return this.#options.runtime ?? defaultRuntime()
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') {
      throw new CoveyError('FAILED_PRECONDITION', `${this.name} was started before`)
    }
    this.#state = 'starting'
    const ownsProcess = this.#options.ownsProcess ?? true
    if (ownsProcess) this.#exitWatch = watchForExit(() => this.stop(), this.#clock)
    try {
      await this.#open()
    } catch (error) {
      await this.#stack.stopAll()
      this.#state = 'stopped'
      this.#exitWatch?.release()
      if (ownsProcess) endProcess(this.name, error)
      throw error
    }
    this.#enter('ready')
    this.#log.info({ address: this.address, instance: this.#id }, `${this.name} is ready`)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #open(): Promise<void> {
    const { framework, own } = await loadAppSettings(this.#options)
    this.#settings = framework
    this.#log = createAppLog(this.name, framework.logLevel)
    this.#stack = new ResourceStack(this.#log)
    await this.#openProbe(framework)
    if (this.#options.runtime === undefined) {
      defaultRuntime({ registry: framework.registry, log: this.#log })
    }
    const { keys, keyMode, tls, integrity, compressAboveBytes } = framework
    this.#runtime.guard({ keys, keyMode, tls, integrity, compressAboveBytes })
    this.#runtime.retry.policy.change(framework.retry)
    this.#runtime.ejection.change(framework.ejection)
    this.#work = this.#acceptedWork(framework)
    this.#admission = openAdmission(framework, { instance: this.#id, clock: this.#clock })
    await this.#openControlSocket()
    const context = this.#context(own)
    for (const resource of this.#options.resources ?? []) {
      await this.#stack.start(resource, context)
    }
    await this.#serve(this.#services(context), framework)
  }

  #enter(state: 'ready' | 'draining'): void {
    this.#state = state
    if (this.#probe !== undefined) this.#probe.state = state
  }

  /** Where a platform asks for health: the first to be there, and the last to go. */
  async #openProbe(settings: FrameworkSettings): Promise<void> {
    const options = { app: this.name, clock: this.#clock, log: this.#log }
    this.#probe = await openProbe(settings, options)
    if (this.#probe !== undefined) this.#stack.push('probe', () => this.#probe?.close())
  }

  #context(settings: unknown): AppContext {
    const stack = this.#stack
    return {
      name: this.name,
      instance: this.#id,
      settings,
      log: this.#log,
      clock: this.#clock,
      runtime: this.#runtime,
      metrics: this.#metrics,
      admission: this.#admission,
      client: (contract, options) => this.client(contract, options),
      get: <T>(resource: Resource<T>) => stack.get(resource),
    }
  }

  #services(context: AppContext): readonly AnyService[] {
    const { services = [] } = this.#options
    return typeof services === 'function' ? services(context as AppContext<never>) : services
  }

  /** Where the supervisor asks for health, from the first moment on. */
  async #openControlSocket(): Promise<void> {
    const path = process.env.COVEY_CONTROL
    if (path === undefined || path === '') return
    const listener = await this.#listen(`unix:${path}`, this.#dispatcher([]))
    this.#stack.push('control socket', () => listener.close())
  }

  async #serve(services: readonly AnyService[], settings: FrameworkSettings): Promise<void> {
    const dispatcher = this.#dispatcher(services)
    const listeners = await openListeners({
      runtime: this.#runtime,
      settings,
      authenticate: this.#options.http?.authenticate,
      listen: (address, more) => this.#listen(address, dispatcher, more),
      opened: (listener) => this.#stack.push(listener.address, () => listener.close()),
    })
    this.#listeners = listeners
    const local = await this.#listen(`memory:${this.#id}`, dispatcher)
    this.#stack.push('local calls', () => local.close())
    let lease: Lease | undefined
    // Until it has drained: what became of accepted work can be asked here.
    this.#stack.push('registration', async () => {
      if (this.#instance !== undefined) this.#runtime.removeLocal(this.#instance)
      await lease?.release()
    })
    const instance = checkInstance({
      ...this.#labels(settings),
      id: this.#id,
      app: this.name,
      services: services.map(({ contract }) => contract.name),
      addresses: listeners.map(({ address }) => this.#announced(address, settings)),
      state: 'up',
      startedAtMs: this.#startedAtMs,
    })
    this.#instance = instance
    this.#runtime.addLocal({ ...instance, addresses: [local.address] })
    this.#stack.push('draining', () => this.#drain([...listeners, local]))
    const registry = await this.#runtime.registry()
    lease = await registry.register(instance)
    this.#stack.push('farewell', async () => {
      this.#runtime.removeLocal(instance)
      await lease.update({ ...instance, state: 'draining' })
      // Callers hear of it before calls are refused; where nobody is connected there is nobody to wait for.
      const connected = listeners.some(({ connections }) => connections > 0)
      if (connected) await sleep(settings.drainWaitMs, undefined, this.#clock)
    })
  }

  #announced(address: string, { advertise, http }: FrameworkSettings): string {
    // What is said of the host of all ports is not said of one that has a host of its own.
    const ownHost = /^https?:/.test(address) && http.host !== undefined
    return announcedAddress(address, ownHost ? undefined : advertise)
  }

  /** What the settings say wins, for they are about this one process. */
  #labels(settings: FrameworkSettings): { [K in keyof AppLabels]: unknown } {
    const { group, version, zone, tags, weight = 1 } = this.#options
    return {
      group: settings.group ?? group,
      version: settings.version ?? version,
      zone: settings.zone ?? zone,
      tags: settings.tags ?? tags,
      weight: settings.weight ?? weight,
    }
  }

  #listen(
    address: string,
    dispatcher: Dispatcher,
    more: Partial<RpcDoorOptions> = {},
  ): Promise<Listener> {
    const { limits } = this.#runtime
    const common = { limits, clock: this.#clock, log: this.#log }
    const options = { ...this.#runtime.links(address), ...common, ...more }
    return this.#runtime.transport(address).listen(address, dispatcher, options)
  }

  #dispatcher(services: readonly AnyService[]): Dispatcher {
    const work = this.#work!
    const system = systemServices(services, {
      report: () => this.#report(),
      stats: () => this.#stats(),
      work,
      elsewhere: resultsElsewhere({
        runtime: this.#runtime,
        services: services.map(({ contract }) => contract.name),
        stopping: this.#stopping.signal,
      }),
    })
    return createDispatcher([...services, ...system], {
      instance: this.#id,
      work,
      wheel: this.#runtime.wheel,
      log: this.#log,
      metrics: this.#metrics,
      // Who asks for health or figures wants to know of an overload.
      admission: (service) => (isSystemService(service) ? undefined : this.#admission),
      logCalls: ['debug', 'trace'].includes(this.#settings?.logLevel ?? ''),
      middleware: (service) => this.#middlewareFor(service),
    })
  }

  #middlewareFor(service: string): readonly Middleware[] {
    const { middleware, systemMiddleware, http } = this.#options
    const httpAuthenticated = http?.authenticate !== undefined
    return middlewareFor(service, { middleware, systemMiddleware, httpAuthenticated })
  }

  get #uptimeMs(): number {
    return this.#clock.wallMs() - this.#startedAtMs
  }

  #stats(): ServerStats {
    const connections = this.#listeners.reduce((sum, listener) => sum + listener.connections, 0)
    const uptimeMs = this.#uptimeMs
    const { lateAnswers, callees } = this.#runtime
    const methods = this.#metrics.snapshot()
    const figures = { uptimeMs, connections, lateAnswers, callees, methods }
    const admission = this.#admission && { admission: this.#admission.report() }
    return { app: this.name, instance: this.#id, ...figures, ...admission }
  }

  /** What runs calls that nobody waits for, and keeps their results. */
  #acceptedWork({ results }: FrameworkSettings): AcceptedWork {
    const { limits } = this.#runtime
    const { maxRunning } = results
    const common = { instance: this.#id, clock: this.#clock, log: this.#log }
    const work = createAcceptedWork({ ...common, limits, maxRunning, results })
    this.#stack.push('results', () => work.forgetResults())
    return work
  }

  #report(): HealthReport {
    const uptimeMs = this.#uptimeMs
    const state = this.#state === 'ready' || this.#state === 'draining' ? this.#state : 'starting'
    return { state, app: this.name, instance: this.#id, pid: process.pid, uptimeMs }
  }

  /** The registry tells of it by now; callers hear it from the connection as well. */
  async #drain(listeners: readonly Listener[]): Promise<void> {
    const limit = new AbortController()
    const limitMs = this.#settings?.shutdownMs ?? 30_000
    const timer = this.#clock.after(limitMs, () => limit.abort())
    this.#stopping.abort()
    await drainAll(listeners, this.#work!, limit.signal)
    timer.stop()
    if (limit.signal.aborted) {
      this.#log.warn({ limitMs }, 'calls were still running at the end of the time for draining')
    }
  }

  async #close(): Promise<void> {
    if (this.#state === 'ready') this.#log.info({}, `${this.name} is stopping`)
    this.#enter('draining')
    await this.#stack.stopAll()
    this.#state = 'stopped'
    this.#exitWatch?.release()
    this.#log.info({}, `${this.name} has stopped`)
  }
}
