import type { Socket } from 'node:net'
import type { Clock, Timer } from '../base/clock.ts'
import type { Toxics } from './toxics.ts'

/** What a lane needs beside its sockets. */
export interface ChaosLaneOptions {
  /** What is done to the bytes now. */
  toxics(): Toxics
  /** Numbers in [0, 1). */
  readonly random: () => number
  readonly clock: Clock
  /** The connection is to be reset, both ways. */
  onCut(): void
  /** The connection is to be ended, both ways. */
  onEnd(): void
}

/** A chunk that is on its way. */
interface Held {
  readonly bytes: Uint8Array
  readonly dueMs: number
}

/** Bytes under way at which the source is read no further. */
const maxHeldBytes = 1024 * 1024

/** How long a chunk that is to come behind the next one waits for it, in milliseconds. */
const reorderWaitMs = 20

/** One direction of a connection: takes bytes from a socket and hands them to another, or does worse. */
export class ChaosLane {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #options: ChaosLaneOptions
  readonly #queue: Held[] = []
  #heldBytes = 0
  #passedBytes = 0
  #lastDueMs = 0
  #freeAtMs = 0
  #overtaken: Uint8Array | undefined
  #dead = false
  #ended = false
  #timer: Timer | undefined
  #turn: NodeJS.Immediate | undefined

  constructor(source: Socket, sink: Socket, options: ChaosLaneOptions) {
    this.#source = source
    this.#sink = sink
    this.#options = options
    source.on('data', (bytes: Buffer) => this.#arrived(bytes))
    source.on('end', () => this.#sourceEnded())
    sink.on('drain', () => this.#regulate())
  }

  /** Whether it lost bytes and will never hand on anything again. */
  get dead(): boolean {
    return this.#dead || this.#options.toxics().swallow
  }

  /** Bytes that it has handed on. */
  get passedBytes(): number {
    return this.#passedBytes
  }

  /** The toxics are others now. */
  changed(): void {
    this.#pump()
    this.#regulate()
  }

  /** Hands on nothing more. */
  stop(): void {
    this.#dead = true
    this.#queue.length = 0
    this.#timer?.stop()
    clearImmediate(this.#turn)
  }

  #arrived(bytes: Uint8Array): void {
    const toxics = this.#options.toxics()
    if (toxics.swallow) this.#dead = true
    if (this.#dead) return
    if (this.#hits(toxics.cutChance)) return this.#options.onCut()
    const changed = this.#hits(toxics.corruptChance) ? this.#corrupt(bytes) : bytes
    const waited = this.#overtaken
    this.#overtaken = undefined
    if (waited === undefined && this.#hits(toxics.reorderChance)) return this.#letPass(changed)
    this.#enqueue(changed, toxics)
    if (this.#hits(toxics.duplicateChance)) this.#enqueue(changed, toxics)
    if (waited !== undefined) this.#enqueue(waited, toxics)
    this.#pump()
    this.#regulate()
  }

  #hits(chance: number): boolean {
    return chance > 0 && this.#options.random() < chance
  }

  #corrupt(bytes: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(bytes)
    const at = Math.floor(this.#options.random() * copy.length)
    copy[at] = copy[at]! ^ (1 + Math.floor(this.#options.random() * 255))
    return copy
  }

  /** Keeps a chunk until the next one has gone before it. */
  #letPass(bytes: Uint8Array): void {
    this.#overtaken = bytes
    this.#options.clock.after(reorderWaitMs, () => {
      if (this.#overtaken !== bytes || this.#dead) return
      this.#overtaken = undefined
      this.#enqueue(bytes, this.#options.toxics())
      this.#pump()
    })
  }

  #enqueue(bytes: Uint8Array, { latencyMs, jitterMs, sliceBytes }: Toxics): void {
    const { clock, random } = this.#options
    const heldMs = latencyMs + (jitterMs === 0 ? 0 : (random() * 2 - 1) * jitterMs)
    const dueMs = Math.max(this.#lastDueMs, heldMs <= 0 ? 0 : clock.monotonicMs() + heldMs)
    this.#lastDueMs = dueMs
    this.#heldBytes += bytes.length
    if (sliceBytes >= bytes.length) return void this.#queue.push({ bytes, dueMs })
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + Math.floor(random() * sliceBytes)
      this.#queue.push({ bytes: bytes.subarray(at, at + size), dueMs })
      at += size
    }
  }

  /** Hands on what is due. Of sliced and throttled bytes one piece a turn. */
  #pump(): void {
    if (this.#timer !== undefined || this.#turn !== undefined) return
    while (this.#queue.length > 0 && !this.#dead) {
      const toxics = this.#options.toxics()
      if (toxics.hold) return
      const waitMs = this.#waitMs(this.#queue[0]!)
      if (waitMs > 0) return this.#pumpAfter(waitMs)
      this.#send(this.#queue.shift()!.bytes, toxics)
      if (toxics.sliceBytes !== Number.POSITIVE_INFINITY) return this.#pumpNextTurn()
    }
    if (this.#ended && !this.#dead && !this.#options.toxics().hold) this.#endSink()
  }

  #waitMs({ dueMs }: Held): number {
    const atMs = Math.max(dueMs, this.#freeAtMs)
    return atMs === 0 ? 0 : atMs - this.#options.clock.monotonicMs()
  }

  #pumpAfter(waitMs: number): void {
    this.#timer = this.#options.clock.after(waitMs, () => {
      this.#timer = undefined
      this.#pump()
      this.#regulate()
    })
  }

  #pumpNextTurn(): void {
    this.#turn = setImmediate(() => {
      this.#turn = undefined
      this.#pump()
      this.#regulate()
    })
  }

  #send(bytes: Uint8Array, toxics: Toxics): void {
    this.#heldBytes -= bytes.length
    const { cutAfterBytes, endAfterBytes, bytesPerSecond } = toxics
    const left = Math.min(cutAfterBytes, endAfterBytes) - this.#passedBytes
    const part = bytes.length < left ? bytes : bytes.subarray(0, Math.max(0, left))
    this.#passedBytes += part.length
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) {
      const now = this.#options.clock.monotonicMs()
      this.#freeAtMs = Math.max(now, this.#freeAtMs) + (part.length / bytesPerSecond) * 1_000
    }
    if (part.length > 0 && this.#sink.writable) this.#sink.write(part)
    if (bytes.length < left) return
    if (cutAfterBytes <= endAfterBytes) this.#options.onCut()
    else this.#options.onEnd()
  }

  /** A source that is quicker than its sink waits, as it would without a proxy. */
  #regulate(): void {
    const full = this.#heldBytes + this.#sink.writableLength > maxHeldBytes
    const stop = !this.#dead && (full || this.#sink.connecting || this.#options.toxics().hold)
    if (stop === this.#source.isPaused()) return
    if (stop) this.#source.pause()
    else this.#source.resume()
  }

  #sourceEnded(): void {
    if (this.dead) {
      this.#dead = true
      return
    }
    this.#ended = true
    if (this.#overtaken !== undefined) this.#enqueue(this.#overtaken, this.#options.toxics())
    this.#overtaken = undefined
    this.#pump()
  }

  #endSink(): void {
    const { slowCloseMs } = this.#options.toxics()
    this.#ended = false
    if (slowCloseMs === 0) return void this.#sink.end()
    this.#timer = this.#options.clock.after(slowCloseMs, () => this.#sink.end())
  }
}
