import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import { afterReading } from '../../base/after-reading.ts'
import type { Timer } from '../../base/clock.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import { addressGroup } from '../address-group.ts'
import { AddressShares, type Holder } from '../address-shares.ts'
import type { ListenOptions } from '../transport.ts'

/**
 * Time in which a client keeps its place, however many wait, in milliseconds. The head of a request arrives with the end of the handshake
 * of TCP or TLS, from far away too.
 */
const patienceMs = 200

/** Time between two lines of the log about clients that were cut off, in milliseconds. */
const quietMs = 10_000

/** A connection whose first head has not arrived. */
interface Waiting extends Holder {
  readonly socket: Socket
  readonly sinceMs: number
}

/**
 * Bounds the connections of a server whose client has not sent the head of its first request. Newcomers are always let in; when there
 * are more than `maxHandshakes`, the oldest are cut off, first those of addresses that have more than half of the places.
 * To be called when all other listeners are there, and before `limitAccept`.
 */
export function limitHeads(
  server: Server,
  { limits, clock, log }: Pick<ListenOptions, 'limits' | 'clock' | 'log'>,
): void {
  const gate = new HeadGate(limits.maxHandshakes, clock, rareWarning(log, clock, quietMs))
  const opened = server instanceof TlsServer ? 'secureConnection' : 'connection'
  server.on(opened, (socket: Socket) => gate.enter(socket))
  // To listen to the others would change what Node does where nobody else does.
  for (const event of ['request', 'checkContinue', 'upgrade'] as const) {
    if (server.listenerCount(event) === 0) continue
    server.prependListener(event, ({ socket }: IncomingMessage) => gate.leave(socket))
  }
  server.once('close', () => gate.stop())
}

class HeadGate {
  readonly #places: number
  readonly #clock: ListenOptions['clock']
  readonly #warn: ReturnType<typeof rareWarning>
  /** The oldest first. */
  readonly #waiting = new Map<Socket, Waiting>()
  readonly #shares: AddressShares
  #timer: Timer | undefined

  constructor(places: number, clock: ListenOptions['clock'], warn: ReturnType<typeof rareWarning>) {
    this.#places = places
    this.#clock = clock
    this.#warn = warn
    this.#shares = new AddressShares(places)
  }

  enter(socket: Socket): void {
    const group = addressGroup(socket.remoteAddress ?? '')
    this.#waiting.set(socket, { socket, group, sinceMs: this.#clock.monotonicMs() })
    this.#shares.add(group)
    socket.once('close', () => this.leave(socket))
    if (this.#waiting.size > this.#places) this.#trimLater()
  }

  leave(socket: Socket): void {
    const waiting = this.#waiting.get(socket)
    if (waiting === undefined) return
    this.#waiting.delete(socket)
    this.#shares.remove(waiting.group)
  }

  stop(): void {
    this.#timer?.stop()
    this.#timer = undefined
  }

  /** What has arrived is read before, if this side was busy. */
  #trimLater(): void {
    this.#timer ??= afterReading(this.#clock, patienceMs, () => {
      this.#timer = undefined
      this.#trim((group) => this.#shares.over(group))
      this.#trim(() => true)
      if (this.#waiting.size > this.#places) this.#trimLater()
    })
  }

  #trim(yields: (group: string) => boolean): void {
    const before = this.#clock.monotonicMs() - patienceMs
    for (const { socket, group, sinceMs } of this.#waiting.values()) {
      if (this.#waiting.size <= this.#places || sinceMs > before) return
      if (!yields(group)) continue
      this.leave(socket)
      const message = `a connection was closed: more than ${this.#places} wait for the head of a request`
      this.#warn({ code: 'RESOURCE_EXHAUSTED', address: socket.remoteAddress }, message)
      socket.destroy()
    }
  }
}
