import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Clock, systemClock } from '../base/clock.ts'
import { parseSocketUrl, tcpUrl } from '../transport/tcp/wire.ts'
import { ChaosLane } from './chaos-lane.ts'
import { freePort } from './free-port.ts'
import { seededRandom } from './random.ts'
import { resetSocket } from './reset-socket.ts'
import { noToxics, type Toxics } from './toxics.ts'

/** `up`: from the client to the server. `down`: from the server to the client. */
export type ChaosDirection = 'up' | 'down' | 'both'

/** Settings of a {@link ChaosProxy}. */
export interface ChaosProxyOptions {
  /** Of everything that is left to chance. Default 1. */
  seed?: number
  /** Measures latency, throttle and slow ends. Default: the machine's. */
  clock?: Clock
}

/** The two sockets of one connection, and what passes between them. */
interface Pair {
  readonly client: Socket
  readonly server: Socket
  readonly up: ChaosLane
  readonly down: ChaosLane
}

/**
 * A TCP proxy in front of a server, in this process, that does to connections what networks do: it delays, throttles, slices,
 * cuts, swallows, reorders, repeats and damages their bytes. What it does may be changed at any time, each direction by itself.
 *
 * @example
 * await using proxy = await startChaosProxy(server.address)
 * const api = createClient(users, { target: proxy.address })
 * proxy.set({ latencyMs: 50, jitterMs: 20 })
 * proxy.set({ swallow: true }, 'down') // answers vanish
 * proxy.clear()
 * proxy.cut() // RST for all connections
 */
export class ChaosProxy implements AsyncDisposable {
  /** Where clients connect: `tcp://127.0.0.1:…`. */
  readonly address: string
  readonly #server: Server
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pairs = new Set<Pair>()
  readonly #toxics = { up: noToxics, down: noToxics }
  #target: string
  #refusing = false
  #accepted = 0

  /** Use {@link startChaosProxy}. */
  constructor(address: string, server: Server, target: string, options: ChaosProxyOptions) {
    this.address = address
    this.#server = server
    this.#target = target
    this.#clock = options.clock ?? systemClock
    this.#random = seededRandom(options.seed ?? 1)
    server.on('connection', (client) => this.#accept(client))
  }

  /** Connections that pass through it now, dead ones included. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Bytes that the connections that are open now have let through. */
  get passedBytes(): { readonly up: number; readonly down: number } {
    const sum = (lane: 'up' | 'down') =>
      [...this.#pairs].reduce((bytes, pair) => bytes + pair[lane].passedBytes, 0)
    return { up: sum('up'), down: sum('down') }
  }

  /** Connections it has taken since it was started. */
  get accepted(): number {
    return this.#accepted
  }

  /** From now on does exactly this, to connections that are open as well. */
  set(toxics: Partial<Toxics>, direction: ChaosDirection = 'both'): void {
    const all = Object.freeze({ ...noToxics, ...toxics })
    if (direction !== 'down') this.#toxics.up = all
    if (direction !== 'up') this.#toxics.down = all
    for (const { up, down } of this.#pairs) {
      up.changed()
      down.changed()
    }
  }

  /** From now on lets everything through. */
  clear(): void {
    this.set({})
  }

  /** Resets all connections (RST, both ways). */
  cut(): void {
    for (const pair of [...this.#pairs]) this.#cut(pair)
  }

  /** Whether new connections are reset at once. */
  refuse(on: boolean): void {
    this.#refusing = on
  }

  /** New connections go to another server. */
  retarget(target: string): void {
    parseSocketUrl(target)
    this.#target = target
  }

  /** Takes no more connections and resets all there are. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.cut()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(client: Socket): void {
    client.on('error', () => {})
    this.#accepted += 1
    if (this.#refusing) return void resetSocket(client)
    const target = parseSocketUrl(this.#target)
    const server = connect({ ...target, allowHalfOpen: true })
    server.on('error', () => {})
    client.setNoDelay(true)
    server.setNoDelay(true)
    const lane = (source: Socket, sink: Socket, direction: 'up' | 'down') =>
      new ChaosLane(source, sink, {
        toxics: () => this.#toxics[direction],
        random: this.#random,
        clock: this.#clock,
        onCut: () => this.#cut(pair),
        onEnd: () => this.#end(pair),
      })
    const up = lane(client, server, 'up')
    const pair: Pair = { client, server, up, down: lane(server, client, 'down') }
    this.#pairs.add(pair)
    server.once('connect', () => up.changed())
    client.once('close', () => this.#gone(pair, server, up))
    server.once('close', () => this.#gone(pair, client, pair.down))
  }

  /** One side is gone altogether; the other is told, unless news do not get through. */
  #gone(pair: Pair, other: Socket, lane: ChaosLane): void {
    if (pair.client.destroyed && pair.server.destroyed) {
      pair.up.stop()
      pair.down.stop()
      this.#pairs.delete(pair)
    } else if (!lane.dead && !other.writableEnded) resetSocket(other)
  }

  #cut({ client, server, up, down }: Pair): void {
    up.stop()
    down.stop()
    resetSocket(client)
    resetSocket(server)
  }

  #end({ client, server, up, down }: Pair): void {
    up.stop()
    down.stop()
    for (const socket of [client, server]) {
      socket.end()
      socket.resume()
    }
  }
}

/** Starts a proxy in front of the server at `target` (`tcp://…` or `unix:…`). It lets everything through at first. */
export async function startChaosProxy(
  target: string,
  options: ChaosProxyOptions = {},
): Promise<ChaosProxy> {
  parseSocketUrl(target)
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
  const port = await freePort()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return new ChaosProxy(tcpUrl('127.0.0.1', port), server, target, options)
}
