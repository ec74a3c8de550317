import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Instance, Lease, Registry } from '../discovery/registry.ts'
import type { LinkSettings } from '../rpc/link-settings.ts'
import type { Limits } from '../transport/limits.ts'
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts'
import type { ExecutionLog } from './execution-log.ts'

const script = new URL('./fixtures/truth-server.ts', import.meta.url)

/** What a server's thread is started with. */
export interface TruthServerData {
  readonly shared: SharedArrayBuffer
  readonly limits: Partial<Limits>
  readonly links: LinkSettings
}

/** What a server's thread is told. */
export type TruthServerCommand =
  | { readonly do: 'stop' }
  /** Hold the event loop up for so long. */
  | { readonly do: 'block'; readonly ms: number }

/** What a fleet is made from. */
export interface TruthFleetOptions {
  readonly registry: Registry
  readonly log: ExecutionLog
  /** How many servers there are at a time. */
  readonly size: number
  readonly seed: number
  readonly limits: Partial<Limits>
  /** How the connections are guarded. */
  readonly links?: LinkSettings
}

/** A server in a thread, which can be terminated like a process, and the proxy before it. */
interface Place {
  readonly proxy: ChaosProxy
  worker: Worker
  lease: Lease
  /** Something is being done to it. */
  busy: boolean
}

/** Servers of the `truth` contract behind chaos proxies, announced in a registry, to be killed and replaced. */
export class TruthFleet implements AsyncDisposable {
  readonly #options: TruthFleetOptions
  readonly #places: Place[] = []
  readonly #leaving = new Set<Promise<unknown>>()

  private constructor(options: TruthFleetOptions) {
    this.#options = options
  }

  static async start(options: TruthFleetOptions): Promise<TruthFleet> {
    const fleet = new TruthFleet(options)
    for (let index = 0; index < options.size; index++) {
      const { worker, address, id } = await fleet.#startWorker()
      const proxy = await startChaosProxy(address, { seed: options.seed + index })
      const lease = await fleet.#announce(id, proxy)
      fleet.#places.push({ proxy, worker, lease, busy: false })
    }
    return fleet
  }

  /** The proxies before the servers. */
  get proxies(): readonly ChaosProxy[] {
    return this.#places.map(({ proxy }) => proxy)
  }

  /** Ends a server as `kill -9` would, and starts another one in its place, which the registry tells a little later. */
  async kill(index: number): Promise<void> {
    await this.#change(index, async (place) => {
      await place.worker.terminate()
      await this.#replace(place)
    })
  }

  /** Starts a new server in the place of one, which drains. */
  async roll(index: number): Promise<void> {
    await this.#change(index, async (place) => {
      const { worker } = place
      await this.#replace(place)
      this.#drain(worker)
    })
  }

  /** Holds the event loop of a server up. */
  block(index: number, ms: number): void {
    this.#tell(this.#places[index]!.worker, { do: 'block', ms })
  }

  /** Lets all servers finish what they run and ends them. */
  async stop(): Promise<void> {
    // A server that is being killed must not be asked to drain.
    await Promise.all(this.#leaving)
    for (const { worker, lease } of this.#places) {
      await lease.release()
      this.#drain(worker)
    }
    await Promise.all(this.#leaving)
    for (const { proxy } of this.#places) await proxy.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** One thing at a time is done to a place; a second one is left out. */
  async #change(index: number, run: (place: Place) => Promise<void>): Promise<void> {
    const place = this.#places[index]!
    if (place.busy) return
    place.busy = true
    const change = run(place)
    this.#leaving.add(change)
    await change
    this.#leaving.delete(change)
    place.busy = false
  }

  async #replace(place: Place): Promise<void> {
    const { worker, address, id } = await this.#startWorker()
    place.worker = worker
    place.proxy.retarget(address)
    await place.lease.release()
    place.lease = await this.#announce(id, place.proxy)
  }

  #drain(worker: Worker): void {
    const gone = once(worker, 'exit')
    this.#tell(worker, { do: 'stop' })
    this.#leaving.add(gone)
    void gone.then(() => this.#leaving.delete(gone))
  }

  #tell(worker: Worker, command: TruthServerCommand): void {
    worker.postMessage(command)
  }

  async #startWorker(): Promise<{ worker: Worker; address: string; id: string }> {
    const { log, limits, links = {} } = this.#options
    const workerData: TruthServerData = { shared: log.shared, limits, links }
    const worker = new Worker(script, { workerData })
    const [started] = (await once(worker, 'message')) as [{ address: string; id: string }]
    return { worker, ...started }
  }

  #announce(id: string, proxy: ChaosProxy): Promise<Lease> {
    const instance: Instance = {
      id,
      app: 'truth',
      services: ['truth'],
      addresses: [proxy.address],
      weight: 1,
      state: 'up',
      startedAtMs: 1,
    }
    return this.#options.registry.register(instance)
  }
}
