import type { ByteWriter } from '../../base/byte-writer.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { FrameDecoder, ownFrame } from '../../codec/frame/frame-decoder.ts'
import type { FrameSeal } from '../../codec/frame/frame-seal.ts'
import {
  compressedFlag,
  type Frame,
  frameHeadBytes,
  frameType,
} from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import { shortText } from '../../error/short-text.ts'
import type { Compression } from '../compression.ts'
import type { Limits } from '../limits.ts'
import { BodyInflater, bodyPacker } from './body-compression.ts'
import { maxFarewellLength } from './hello.ts'
import { LinkWatch, type Watched } from './link-watch.ts'
import type { Pipe, PipeEvents } from './pipe.ts'
import type { SendBudget } from './send-budget.ts'
import { SendQueue, type SendQueueOwner } from './send-queue.ts'

/** After so long without reading a link is {@link FrameLink.catchingUp | catching up}, in milliseconds. */
const longAgoMs = 100

/** Size of a pong. */
const pongBytes = frameHeadBytes

/** Whose link it is: an end of a connection. Not functions of its own, for ten thousand idle links would hold ten thousand of each. */
export interface LinkOwner {
  /** Whether calls are in flight, so that silence of the peer means something. */
  readonly hasCalls: boolean
  /**
   * Whether this end answers. It reads no more while its answers are not taken. The end that asks goes on reading, or two ends that
   * send much would both wait for the other one to read.
   */
  readonly answers: boolean
  /** A frame that is not about the connection itself. */
  onFrame(frame: Frame): void
  /** The peer stands still ({@link FrameLink.stalledMs}), or was heard again. Left out by an end that does not care. */
  onStalled?(): void
  /** Nothing was heard or can be sent any more. Told once; no reason when this side closed. */
  onClosed(reason: CoveyError | undefined): void
}

/** What a link goes by. */
export interface FrameLinkOptions {
  readonly limits: Limits
  readonly clock: Clock
  /** What it shares with the other connections of its listener. Default: nothing */
  readonly budget?: SendBudget | undefined
}

/**
 * Frames over a pipe, for both ends: sends them through its {@link SendQueue}, stops reading a peer that does not read,
 * answers pings, and, with its {@link LinkWatch}, notices a peer that fell silent.
 */
export class FrameLink implements Watched, PipeEvents, SendQueueOwner {
  readonly #pipe: Pipe
  readonly #owner: LinkOwner
  readonly #options: FrameLinkOptions
  readonly #queue: SendQueue
  readonly #decoder: FrameDecoder
  readonly #watch: LinkWatch
  #lastTimer: Timer | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'
  /** Pings without a pong. */
  #unanswered = 0
  #onAnswered: (() => void) | undefined
  #paused = false
  /** Pongs that were sent while the peer did not take what was sent before. */
  #idlePongs = 0
  #inflater: BodyInflater | undefined
  #framesSeen = 0
  #framesAtLook = 0
  #readMs: number
  #catchingUp = false
  #partialSinceMs: number | undefined

  /** @param maxFirstFrameBytes what the peer may send at once before it has introduced itself */
  constructor(
    pipe: Pipe,
    owner: LinkOwner,
    options: FrameLinkOptions,
    maxFirstFrameBytes = options.limits.maxFrameBytes,
  ) {
    this.#pipe = pipe
    this.#owner = owner
    this.#options = options
    this.#queue = new SendQueue(pipe, this, options)
    this.#decoder = new FrameDecoder(maxFirstFrameBytes, pipe.lends)
    this.#readMs = options.clock.monotonicMs()
    this.#watch = new LinkWatch(this, options.limits, options.clock)
    pipe.open(this)
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** Number of the write that frames join now; a frame has left once this has moved on. */
  get batch(): number {
    return this.#queue.batch
  }

  /**
   * Whether nothing was read for a while before this turn. If it was this process that stood still, what is read now may be
   * out of date by what is read later in this turn.
   */
  get catchingUp(): boolean {
    return this.#catchingUp
  }

  /** Lifts the limits of the handshake: `peerMaxFrameBytes` is what the peer said it takes. */
  established(peerMaxFrameBytes: number): void {
    this.#decoder.maxFrameBytes = this.#options.limits.maxFrameBytes
    this.#queue.maxFrameBytes = peerMaxFrameBytes
    this.#watch.established()
  }

  /** Seals what is sent from here on. */
  set outgoingSeal(seal: FrameSeal) {
    this.#queue.seal = seal
  }

  /** Takes only sealed frames from here on. */
  set incomingSeal(seal: FrameSeal) {
    this.#decoder.seal = seal
  }

  /** Takes compressed bodies, and compresses bodies above a size; `Infinity` for none. */
  compress(compression: Compression, aboveBytes: number): void {
    this.#inflater = new BodyInflater({
      compression,
      maxBytes: this.#options.limits.maxFrameBytes,
      deliver: (frame) => this.#deliver(frame),
      fail: (error) => this.#refuse(error),
      hold: (on) => (on ? this.#pipe.pause() : this.#resume()),
    })
    if (aboveBytes !== Number.POSITIVE_INFINITY) {
      this.#queue.packer = bodyPacker(compression, aboveBytes)
    }
  }

  /**
   * Sends a frame together with the others of this turn.
   * @returns its size in bytes, as counted for stream credit
   * @throws CoveyError `MESSAGE_TOO_LARGE`, `UNENCODABLE`; nothing was sent then
   */
  send(type: number, flags: number, id: number, body?: (out: ByteWriter) => void): number {
    return this.#queue.add(type, flags, id, body)
  }

  /** Bytes that the peer has not taken. */
  get queuedBytes(): number {
    return this.#queue.bytes
  }

  /** Whether so much waits for the peer that what can wait should: elements of streams, and answers. */
  get full(): boolean {
    return this.#queue.full
  }

  /**
   * Runs something when the peer has read all that was sent up to now, and all that it sent before has been read here. Only
   * the last one that was asked for is run.
   */
  whenAnswered(run: () => void): void {
    this.#onAnswered = run
    this.ping()
  }

  /** What is sent from here to the end of this turn leaves in one write, up to `maxQueuedBytes`. */
  cork(): void {
    this.#queue.cork()
  }

  /** Resolves when the peer has taken enough for more to be sent. */
  room(): Promise<void> {
    return this.#queue.room()
  }

  /** Runs something when there may be room for more, or the link is closed; it is to look whether there is. */
  whenRoom(run: () => void): void {
    this.#queue.whenRoom(run)
  }

  /** Reads no more from a peer that does not take its answers; at the end that asks, its pongs. */
  holdIfFull(): void {
    if (this.#paused || !this.#queue.held) return
    const pongs = this.#idlePongs * pongBytes
    if (!this.#owner.answers && pongs <= this.#options.limits.maxQueuedBytes) return
    this.#paused = true
    this.#pipe.pause()
  }

  /** Sends what is waiting and closes. */
  end(): void {
    if (this.#state !== 'open') return
    this.#queue.flush()
    this.#state = 'ending'
    this.#decoder.stop()
    this.#inflater?.stop()
    this.#hangUp()
  }

  /** Tells the peer why this is the end, or as much of it as can be sent. */
  sayFarewell(reason: CoveyError): void {
    const message = shortText(reason.message, maxFarewellLength)
    sendErrorData({ ...reason.toData(), message }, (data) => {
      this.send(frameType.error, 0, 0, (out) => out.text(JSON.stringify(data)))
    })
  }

  /** Closes now, because of `reason`. */
  fail(reason: CoveyError): void {
    this.#closed(reason)
    this.#pipe.destroy()
  }

  /** Closes behind what was handed over; a peer that does not take it must not hold the connection. */
  #hangUp(): void {
    this.#pipe.end()
    const { clock, limits } = this.#options
    this.#lastTimer = clock.after(limits.connectMs, () => this.#pipe.destroy())
  }

  /** For its pipe. */
  drained(): void {
    this.#idlePongs = 0
    this.#queue.drained()
    if (!this.#paused) return
    this.#paused = false
    this.#resume()
  }

  /** Reads again, unless there is another reason not to. */
  #resume(): void {
    if (this.#paused || this.#inflater?.busy === true || this.#state !== 'open') return
    this.#watch.resumed()
    this.#pipe.resume()
  }

  /** For its pipe. */
  data(bytes: Uint8Array): void {
    if (this.#state !== 'open') return
    const now = this.#options.clock.monotonicMs()
    this.#watch.heard(now)
    if (now - this.#readMs > longAgoMs) this.#catchUp()
    this.#readMs = now
    try {
      this.#decoder.push(bytes, (frame) => this.#frame(frame))
    } catch (error) {
      this.#refuse(CoveyError.from(error))
    }
    this.holdIfFull()
  }

  #catchUp(): void {
    this.#catchingUp = true
    this.#pipe.soon(() => {
      this.#catchingUp = false
    })
  }

  #frame(frame: Frame): void {
    this.#framesSeen += 1
    const inflater = this.#inflater
    if (inflater === undefined || (!inflater.busy && (frame.flags & compressedFlag) === 0)) {
      this.#deliver(frame)
    } else inflater.push(this.#pipe.lends ? ownFrame(frame) : frame)
  }

  #deliver(frame: Frame): void {
    if (frame.type === frameType.ping) this.#onPing()
    else if (frame.type === frameType.pong) this.#onPong()
    else this.#owner.onFrame(frame)
  }

  #onPing(): void {
    this.send(frameType.pong, 0, 0)
    if (this.#queue.held) this.#idlePongs += 1
  }

  #onPong(): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1)
    if (this.#unanswered > 0 || this.#onAnswered === undefined) return
    const run = this.#onAnswered
    this.#onAnswered = undefined
    run()
  }

  /** For its pipe: nothing comes any more. */
  closed(cause?: Error): void {
    this.#lastTimer?.stop()
    this.#queue.gone()
    this.#closed(lost(cause))
  }

  /** The peer sent nonsense: tell it, then close. */
  #refuse(reason: CoveyError): void {
    if (this.#state !== 'open') return
    this.sayFarewell(reason)
    this.#queue.flush()
    this.#hangUp()
    this.#closed(reason)
  }

  #closed(reason: CoveyError | undefined): void {
    if (this.#state === 'closed') return
    const asked = this.#state === 'ending'
    this.#state = 'closed'
    this.#watch.stop()
    this.#decoder.stop()
    this.#inflater?.stop()
    // Nothing is sent any more: what waits for room finds out.
    this.#queue.onRoom()
    this.#owner.onClosed(asked ? undefined : reason)
  }

  /** Whether the peer stands still. */
  get stalled(): boolean {
    return this.#watch.stalled
  }

  /** For how long a peer that stands still has been silent, in milliseconds; undefined for one that does not. */
  get stalledMs(): number | undefined {
    return this.#watch.stalledMs
  }

  // What follows is for its queue and its watch.

  onSent(): void {
    this.#watch.sent()
  }

  get busy(): boolean {
    return this.#owner.hasCalls
  }

  get held(): boolean {
    return this.#paused || this.#inflater?.busy === true
  }

  get guarded(): boolean {
    return this.#pipe.guarded === true
  }

  get stallMs(): number {
    return this.#owner.onStalled === undefined
      ? Number.POSITIVE_INFINITY
      : this.#options.limits.stallMs
  }

  ping(): void {
    this.#unanswered += 1
    this.send(frameType.ping, 0, 0)
  }

  onStalled(): void {
    this.#owner.onStalled?.()
  }

  /** Looks after half frames and slow readers. */
  look(nowMs: number): boolean {
    this.#checkPartial(nowMs)
    // The WebSocket of a browser sends what is queued and never tells.
    if (!this.#queue.held) this.drained()
    const waits = this.#queue.look(nowMs)
    return this.#partialSinceMs !== undefined || waits
  }

  #checkPartial(nowMs: number): void {
    const progressed = this.#framesSeen !== this.#framesAtLook
    this.#framesAtLook = this.#framesSeen
    if (this.#decoder.partialBytes === 0) this.#partialSinceMs = undefined
    else if (progressed) this.#partialSinceMs = nowMs
    else this.#partialSinceMs ??= nowMs
    const { partialFrameMs } = this.#options.limits
    if (this.#partialSinceMs !== undefined && nowMs - this.#partialSinceMs > partialFrameMs) {
      this.#refuse(new CoveyError('PROTOCOL_ERROR', `half a frame for ${partialFrameMs} ms`))
    }
  }
}

function lost(cause: Error | undefined): CoveyError {
  const why = cause === undefined ? 'the peer closed the connection' : cause.message
  return new CoveyError('CONNECTION_LOST', why, { cause })
}
