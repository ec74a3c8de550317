import type { Clock } from '../base/clock.ts'
import type { Instance, Lease, Registry } from '../discovery/registry.ts'
import type { LinkSettings } from '../rpc/link-settings.ts'
import type { Limits } from '../transport/limits.ts'
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts'
import type { ExecutionLog } from './execution-log.ts'
import { startTruthApp, startTruthThread, type TruthServer } from './truth-server.ts'

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
  /** Whether they are called over HTTP. Default false. */
  readonly http?: boolean
  /** Whether servers have threads of their own, which can be killed. Default true. */
  readonly threads?: boolean
  /** For servers in this thread. */
  readonly clock?: Clock
}

/** A server, and the proxy before it. */
interface Place {
  readonly proxy: ChaosProxy
  server: TruthServer
  lease: Lease
  /** Something is being done to it. */
  busy: boolean
}

/** Servers of the `truth` contract behind chaos proxies, announced in a registry, to be killed and replaced. */
export class TruthFleet implements AsyncDisposable {
  readonly #options: TruthFleetOptions
  readonly #places: Place[] = []
  readonly #changes = new Set<Promise<unknown>>()

  private constructor(options: TruthFleetOptions) {
    this.#options = options
  }

  static async start(options: TruthFleetOptions): Promise<TruthFleet> {
    const fleet = new TruthFleet(options)
    for (let index = 0; index < options.size; index++) {
      const server = await fleet.#startServer()
      const proxy = await startChaosProxy(socketUrl(server.address), { seed: options.seed + index })
      const lease = await fleet.#announce(server, proxy)
      fleet.#places.push({ proxy, server, lease, busy: false })
    }
    return fleet
  }

  /** The proxies before the servers. */
  get proxies(): readonly ChaosProxy[] {
    return this.#places.map(({ proxy }) => proxy)
  }

  /** Ends a server as `kill -9` would, and starts another one in its place, which the registry tells a little later. */
  kill(index: number): void {
    this.#change(index, async (place) => {
      await place.server.kill()
      await this.#replace(place)
    })
  }

  /** Starts a new server in the place of one, which drains. */
  roll(index: number): void {
    this.#change(index, async (place) => {
      const { server } = place
      await this.#replace(place)
      this.#follow(server.stop())
    })
  }

  /** Holds the event loop of a server up. */
  block(index: number, ms: number): void {
    this.#places[index]!.server.block(ms)
  }

  /** Lets all servers finish what they run and ends them. */
  async stop(): Promise<void> {
    // A server that is being killed must not be asked to drain.
    while (this.#changes.size > 0) await Promise.all(this.#changes)
    await Promise.all(
      this.#places.map(async ({ server, lease, proxy }) => {
        await lease.release()
        await server.stop()
        await proxy.close()
      }),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** One thing at a time is done to a place; a second one is left out. */
  #change(index: number, run: (place: Place) => Promise<void>): void {
    const place = this.#places[index]!
    if (place.busy) return
    place.busy = true
    this.#follow(
      run(place).finally(() => {
        place.busy = false
      }),
    )
  }

  #follow(change: Promise<unknown>): void {
    this.#changes.add(change)
    void change.then(() => this.#changes.delete(change))
  }

  async #replace(place: Place): Promise<void> {
    const server = await this.#startServer()
    place.server = server
    place.proxy.retarget(socketUrl(server.address))
    await place.lease.release()
    place.lease = await this.#announce(server, place.proxy)
  }

  #startServer(): Promise<TruthServer> {
    const { log, limits, links = {}, http = false, threads = true, clock } = this.#options
    const options = { shared: log.shared, limits, links, http }
    if (threads) return startTruthThread(options)
    return startTruthApp(clock === undefined ? options : { ...options, clock })
  }

  #announce({ id, address }: TruthServer, proxy: ChaosProxy): Promise<Lease> {
    const instance: Instance = {
      id,
      app: 'truth',
      services: ['truth'],
      addresses: [proxy.address.replace(scheme, scheme.exec(address)![0])],
      weight: 1,
      state: 'up',
      startedAtMs: 1,
    }
    return this.#options.registry.register(instance)
  }
}

const scheme = /^\w+:/

/** Where the bytes of an address go, whatever they are. */
function socketUrl(address: string): string {
  return address.replace(scheme, 'tcp:')
}
