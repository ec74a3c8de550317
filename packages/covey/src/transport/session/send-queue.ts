import type { ByteWriter } from '../../base/byte-writer.ts'
import type { Clock } from '../../base/clock.ts'
import type { FrameSeal } from '../../codec/frame/frame-seal.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import type { BodyPacker } from '../../codec/frame/frame-writer.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Limits } from '../limits.ts'
import type { Pipe } from './pipe.ts'
import { type Queued, type SendBudget, tightBytes } from './send-budget.ts'

/**
 * A write of this size leaves before the turn ends: the peer begins with it while the rest is made. Found by measuring
 * 128 calls at once between two processes, where it brings a third over one write a turn; 4 and 16 KiB bring less. Each
 * further write of the turn may be twice as large, for by then the peer has work and only the number of writes counts: a
 * tenth more calls of 1 KiB and above.
 */
const firstFullBytes = 8 * 1024
const lastFullBytes = 128 * 1024

/** So many writes may be those of the handshake. */
const greetings = 3

/** Nothing waits. */
const never = -1

/** What the write of this turn holds up to now. */
type Gathered = 'nothing' | 'pongs' | 'frames'

/** The connection whose frames these are. Not functions of its own, for the reason that `LinkOwner` gives. */
export interface SendQueueOwner {
  /** Whether something may still be written. */
  readonly open: boolean
  /** Something else than pongs is about to leave; told once a turn. */
  onSent(): void
  /** Something waits for room, and there is none. */
  holdIfFull(): void
  fail(reason: CoveyError): void
}

/** What a queue goes by. */
export interface SendQueueOptions {
  readonly limits: Limits
  readonly clock: Clock
  /** What it shares with the other connections of its listener. Default: nothing */
  readonly budget?: SendBudget | undefined
}

/**
 * Frames on their way into a pipe: joins those of a turn in one write, says when there is too much for the peer, and notices a
 * peer that takes nothing.
 */
export class SendQueue implements Queued {
  /** Number of the write that frames join now; a frame has left once this has moved on. */
  batch = 0
  /** For its budget. */
  countedBytes = 0
  readonly #pipe: Pipe
  readonly #owner: SendQueueOwner
  readonly #options: SendQueueOptions
  readonly #writer: FrameWriter
  #gathered: Gathered = 'nothing'
  #fullBytes = firstFullBytes
  #corked = false
  /** Size of the last frame. */
  #lastBytes = 0
  #onRoom: (() => void)[] | undefined
  /** Handed over to the pipe since the beginning. */
  #handedBytes = 0
  /** Of that taken by the peer, or by the system for it, when it was looked at last. */
  #takenBytes = 0
  #sendingBytes: number | undefined
  /** Since when something waits and nothing of it was taken; `never` while nothing waits. */
  #stillMs = never

  constructor(pipe: Pipe, owner: SendQueueOwner, options: SendQueueOptions) {
    this.#pipe = pipe
    this.#owner = owner
    this.#options = options
    this.#writer = new FrameWriter(options.limits.maxFrameBytes)
  }

  /** Largest frame that the peer takes. */
  set maxFrameBytes(value: number) {
    this.#writer.maxFrameBytes = value
  }

  /** Seals what is sent from here on. */
  set seal(seal: FrameSeal) {
    this.#writer.seal = seal
  }

  /** Compresses large bodies from here on. */
  set packer(packer: BodyPacker) {
    this.#writer.packer = packer
  }

  /** Bytes that the peer, or the system for it, has not taken. */
  get bytes(): number {
    return this.#pipe.queuedBytes + this.#writer.size
  }

  /** Whether so much waits, for this peer or for all of the listener, that what can wait should. */
  get full(): boolean {
    const { limits, budget } = this.#options
    return this.bytes > limits.maxQueuedBytes || budget?.full === true || this.#crowded
  }

  /** Whether so much has been handed over that the pipe will tell when it is taken. */
  get held(): boolean {
    return this.#pipe.queuedBytes > this.#options.limits.maxQueuedBytes || this.#crowded
  }

  /** Whether all connections of the listener together have so much waiting that this one has to do with little. */
  get #crowded(): boolean {
    return this.#options.budget?.tight === true && this.#pipe.queuedBytes > tightBytes
  }

  /** Adds a frame, as `FrameLink.send` says. */
  add(type: number, flags: number, id: number, body?: (out: ByteWriter) => void): number {
    const size = this.#writer.frame(type, flags, id, body)
    this.#lastBytes = size
    if (this.#gathered !== 'frames') this.#gather(type)
    const full = this.#corked ? this.#options.limits.maxQueuedBytes : this.#fullBytes
    if (this.#writer.size >= full) {
      this.flush()
      if (this.#fullBytes < lastFullBytes) this.#fullBytes *= 2
    }
    return size
  }

  #gather(type: number): void {
    const first = this.#gathered === 'nothing'
    this.#gathered = type === frameType.pong ? 'pongs' : 'frames'
    if (this.#gathered === 'frames') this.#owner.onSent()
    if (!first) return
    this.#fullBytes = firstFullBytes
    this.#pipe.soon(() => {
      this.#gathered = 'nothing'
      this.flush()
    })
  }

  /** What is added from here to the end of this turn leaves in one write, up to `maxQueuedBytes`. */
  cork(): void {
    this.#corked = true
  }

  /** Hands over what was gathered. */
  flush(): void {
    this.#corked = false
    const { size } = this.#writer
    if (size === 0 || !this.#owner.open) return
    this.batch += 1
    this.#handedBytes += size
    if (this.#pipe.write(this.#writer.take())) this.#writer.reuse()
    // Mostly the system takes all of it at once.
    if (this.#pipe.queuedBytes > 0 || this.#stillMs !== never) this.#measure()
    if (this.#onRoom === undefined) return
    if (this.full) this.#owner.holdIfFull()
    else this.onRoom()
  }

  /** Resolves when the peer has taken enough for more to be sent, or the connection is closed. */
  async room(): Promise<void> {
    while (this.#owner.open && this.full) await new Promise<void>((run) => this.whenRoom(run))
  }

  /** Runs something when there may be room, or the connection is closed; it is to look whether there is. */
  whenRoom(run: () => void): void {
    this.#onRoom ??= []
    this.#onRoom.push(run)
    const { budget } = this.#options
    if (budget?.full === true) budget.wait(this)
  }

  /** The pipe has no more to send, or little. */
  drained(): void {
    if (this.#pipe.queuedBytes === 0) this.#writer.reuse()
    if (this.#stillMs !== never) this.#measure()
    this.onRoom()
  }

  /** Goes on with what waits for room, if there is some. */
  onRoom(): void {
    const waiting = this.#onRoom
    if (waiting === undefined) return
    this.#onRoom = undefined
    for (const run of waiting) run()
  }

  /** The pipe is gone, with what it held. */
  gone(): void {
    this.#options.budget?.leave(this)
  }

  /**
   * Looks whether the peer takes what is sent, and fails the connection if it has long taken nothing.
   * @returns whether something waits, so that it is to be looked at again soon
   */
  look(nowMs: number): boolean {
    if (this.#stillMs === never) return false
    this.#measure()
    const { maxQueuedBytes, slowReaderMs } = this.#options.limits
    const waiting = this.#pipe.queuedBytes
    if (waiting > maxQueuedBytes && nowMs - this.#stillMs > slowReaderMs) {
      const reason = `the peer took nothing for ${slowReaderMs} ms, ${waiting} bytes wait`
      this.#owner.fail(new CoveyError('CONNECTION_LOST', reason))
    }
    return this.#owner.open && this.#stillMs !== never
  }

  /** Notes how much waits, and whether something was taken since the last look. */
  #measure(): void {
    // What is left of a connection that ends counts until it is gone.
    if (!this.#owner.open) return
    const { queuedBytes, sendingBytes } = this.#pipe
    const taken = this.#handedBytes - queuedBytes
    const moved = taken > this.#takenBytes || sendingBytes !== this.#sendingBytes
    if (queuedBytes === 0) this.#stillMs = never
    else if (moved || this.#stillMs === never) this.#stillMs = this.#options.clock.monotonicMs()
    this.#takenBytes = taken
    this.#sendingBytes = sendingBytes
    this.#options.budget?.count(this)
  }

  // What follows is for its budget.

  get queuedBytes(): number {
    return this.#pipe.queuedBytes
  }

  get stillMs(): number {
    return this.#stillMs
  }

  get modest(): boolean {
    return this.batch > greetings && this.#lastBytes <= tightBytes
  }

  giveUp(reason: string): void {
    const forMs = Math.round(this.#options.clock.monotonicMs() - this.#stillMs)
    const what = `the peer took nothing for ${forMs} ms, ${this.queuedBytes} bytes wait`
    this.#owner.fail(new CoveyError('RESOURCE_EXHAUSTED', `${what}; ${reason}`))
  }
}
