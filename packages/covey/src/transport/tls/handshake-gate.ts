import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { rareWarning } from '../../observe/rare-warning.ts'
import { addressGroup } from '../address-group.ts'
import { AddressShares, type Holder } from '../address-shares.ts'
import type { Limits } from '../limits.ts'

/** What a gate needs. */
export interface HandshakeGateOptions {
  readonly limits: Pick<Limits, 'maxHandshakes'>
  readonly clock: Clock
  /** Told of sockets that were turned away. */
  readonly warn: ReturnType<typeof rareWarning>
}

/** A socket whose TLS handshake is not done. */
interface Entry extends Holder {
  readonly key: string
  readonly socket: Socket
  readonly beganMs: number
  /** Whether it has said its first message whole: the server has answered. */
  answered: boolean
  /** Since when the server waits for its next message. */
  waitsSinceMs: number
  /** The round of the event loop then. */
  waitsSinceRound: number
}

/** A client that keeps the server waiting for this long gives its place up to the next one, in milliseconds. */
const patienceMs = 500

/**
 * Bounds the TLS handshakes that go on at once, for they are work and memory that strangers ask for. A newcomer takes the
 * place of one of another address that has more than half of them, or of one that has kept this side waiting; if there is none, it is
 * cut off.
 */
export class HandshakeGate {
  readonly #options: HandshakeGateOptions
  /** By the address of the peer, which is what the raw and the secured socket have in common. */
  readonly #entries = new Map<string, Entry>()
  readonly #shares: AddressShares
  #round = 0
  #counting = false

  constructor(options: HandshakeGateOptions) {
    this.#options = options
    this.#shares = new AddressShares(options.limits.maxHandshakes)
  }

  /** Handshakes that go on. */
  get size(): number {
    return this.#entries.size
  }

  /** A connection was accepted. It is cut off if there is no place for it. */
  enter(socket: Socket): void {
    this.#countRounds()
    const { limits, clock } = this.#options
    const now = clock.monotonicMs()
    const group = addressGroup(socket.remoteAddress ?? '')
    if (this.#entries.size >= limits.maxHandshakes && !this.#makeRoom(group, now)) {
      return this.#turnAway(socket)
    }
    const key = addressOf(socket)
    const entry: Entry = {
      key,
      group,
      socket,
      beganMs: now,
      answered: false,
      waitsSinceMs: now,
      waitsSinceRound: this.#round,
    }
    // The end of the last connection from there may not have been told yet.
    this.#remove(this.#entries.get(key))
    this.#entries.set(key, entry)
    this.#shares.add(group)
    socket.once('close', () => this.#remove(entry))
  }

  /** @returns how long the handshake of this connection, which is done, has taken, in milliseconds */
  leave(socket: Socket): number {
    const entry = this.#entries.get(addressOf(socket))
    this.#remove(entry)
    return entry === undefined ? 0 : this.#options.clock.monotonicMs() - entry.beganMs
  }

  /** Cuts off whoever is shaking hands. */
  close(): void {
    for (const { socket } of this.#entries.values()) socket.destroy()
  }

  #remove(entry: Entry | undefined): void {
    // The next connection may have the same address.
    if (entry === undefined || this.#entries.get(entry.key) !== entry) return
    this.#entries.delete(entry.key)
    this.#shares.remove(entry.group)
  }

  #makeRoom(newcomer: string, now: number): boolean {
    const tooSlow = (entry: Entry) => this.#tooSlow(entry, now)
    const out = this.#shares.yielding(this.#entries.values(), newcomer, tooSlow)
    if (out === undefined) return false
    this.#remove(out)
    this.#turnAway(out.socket)
    return true
  }

  /**
   * Whether the client itself is slow, and not this side, which spends a millisecond on each handshake: what it sent has been
   * read once the event loop has gone round. Bytes that make no message are no reason to wait.
   */
  #tooSlow(entry: Entry, now: number): boolean {
    const answered = entry.socket.bytesWritten > 0
    if (answered !== entry.answered) {
      entry.answered = answered
      entry.waitsSinceMs = now
      entry.waitsSinceRound = this.#round
      return false
    }
    return now - entry.waitsSinceMs >= patienceMs && this.#round - entry.waitsSinceRound >= 2
  }

  #turnAway(socket: Socket): void {
    const { limits, warn } = this.#options
    const message = `a connection was closed: ${limits.maxHandshakes} are shaking hands`
    warn({ code: 'RESOURCE_EXHAUSTED', address: socket.remoteAddress }, message)
    socket.destroy()
  }

  /** Rounds count as long as connections come. */
  #countRounds(): void {
    if (this.#counting) return
    this.#counting = true
    setImmediate(() => {
      this.#counting = false
      this.#round += 1
    })
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
