import type { ByteWriter } from '../../base/byte-writer.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { FrameDecoder, ownFrame } from '../../codec/frame/frame-decoder.ts'
import type { FrameSeal } from '../../codec/frame/frame-seal.ts'
import { compressedFlag, type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import { shortText } from '../../error/short-text.ts'
import type { Compression } from '../compression.ts'
import type { Limits } from '../limits.ts'
import { BodyInflater, bodyPacker } from './body-compression.ts'
import { maxFarewellLength } from './hello.ts'
import { LinkWatch, type Watched } from './link-watch.ts'
import type { Pipe, PipeEvents } from './pipe.ts'

/**
 * A write of this size leaves before the turn ends: the peer begins with it while the rest is made. Found by measuring
 * 128 calls at once between two processes, where it brings a third over one write a turn; 4 and 16 KiB bring less. Each
 * further write of the turn may be twice as large, for by then the peer has work and only the number of writes counts: a
 * tenth more calls of 1 KiB and above.
 */
const firstFullBytes = 8 * 1024
const lastFullBytes = 128 * 1024

/** After so long without reading a link is {@link FrameLink.catchingUp | catching up}, in milliseconds. */
const longAgoMs = 100

/** Whose link it is: an end of a connection. Not functions of its own, for ten thousand idle links would hold ten thousand of each. */
export interface LinkOwner {
  /** Whether calls are in flight, so that silence of the peer means something. */
  readonly hasCalls: boolean
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
}

/** What the write of this turn holds up to now. */
type Gathered = 'nothing' | 'pongs' | 'frames'

/**
 * Frames over a pipe, for both ends: joins the writes of a turn, stops reading a peer that does not read,
 * answers pings, and, with its {@link LinkWatch}, notices a peer that fell silent.
 */
export class FrameLink implements Watched, PipeEvents {
  /** Number of the write that frames join now; a frame has left once this has moved on. */
  batch = 0
  readonly #pipe: Pipe
  readonly #owner: LinkOwner
  readonly #options: FrameLinkOptions
  readonly #writer: FrameWriter
  readonly #decoder: FrameDecoder
  readonly #watch: LinkWatch
  #lastTimer: Timer | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'
  #gathered: Gathered = 'nothing'
  #fullBytes = firstFullBytes
  #corked = false
  /** Pings without a pong. */
  #unanswered = 0
  #onAnswered: (() => void) | undefined
  #paused = false
  #inflater: BodyInflater | undefined
  #onRoom: (() => void)[] | undefined
  #framesSeen = 0
  #framesAtLook = 0
  #readMs: number
  #catchingUp = false
  #partialSinceMs: number | undefined
  #slowSinceMs: number | undefined

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
    this.#writer = new FrameWriter(options.limits.maxFrameBytes)
    this.#decoder = new FrameDecoder(maxFirstFrameBytes, pipe.lends)
    this.#readMs = options.clock.monotonicMs()
    this.#watch = new LinkWatch(this, options.limits, options.clock)
    pipe.open(this)
  }

  get open(): boolean {
    return this.#state === 'open'
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
    this.#writer.maxFrameBytes = peerMaxFrameBytes
    this.#watch.established()
  }

  /** Seals what is sent from here on. */
  set outgoingSeal(seal: FrameSeal) {
    this.#writer.seal = seal
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
      this.#writer.packer = bodyPacker(compression, aboveBytes)
    }
  }

  /**
   * Sends a frame together with the others of this turn.
   * @returns its size in bytes, as counted for stream credit
   * @throws CoveyError `MESSAGE_TOO_LARGE`, `UNENCODABLE`; nothing was sent then
   */
  send(type: number, flags: number, id: number, body?: (out: ByteWriter) => void): number {
    const size = this.#writer.frame(type, flags, id, body)
    if (this.#gathered !== 'frames') this.#gather(type)
    const full = this.#corked ? this.#options.limits.maxQueuedBytes : this.#fullBytes
    if (this.#writer.size >= full) {
      this.#flush()
      if (this.#fullBytes < lastFullBytes) this.#fullBytes *= 2
    }
    return size
  }

  #gather(type: number): void {
    const first = this.#gathered === 'nothing'
    this.#gathered = type === frameType.pong ? 'pongs' : 'frames'
    if (this.#gathered === 'frames') this.#watch.sent()
    if (!first) return
    this.#fullBytes = firstFullBytes
    this.#pipe.soon(() => {
      this.#gathered = 'nothing'
      this.#flush()
    })
  }

  /** Whether so much waits for the peer that a stream should send no more. */
  get full(): boolean {
    return this.#pipe.queuedBytes + this.#writer.size > this.#options.limits.maxQueuedBytes
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
    this.#corked = true
  }

  /** Resolves when the peer has taken enough for more to be sent. */
  async room(): Promise<void> {
    while (this.#state === 'open' && this.full) {
      await new Promise<void>((resolve) => {
        this.#onRoom ??= []
        this.#onRoom.push(resolve)
      })
    }
  }

  /** Reads no more from a peer that does not take its answers; for the end that answers. */
  holdIfFull(): void {
    if (this.#paused || this.#pipe.queuedBytes <= this.#options.limits.maxQueuedBytes) return
    this.#paused = true
    this.#pipe.pause()
  }

  /** Sends what is waiting and closes. */
  end(): void {
    if (this.#state !== 'open') return
    this.#flush()
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

  #flush(): void {
    this.#corked = false
    if (this.#state !== 'open' || this.#writer.size === 0) return
    this.batch += 1
    if (this.#pipe.write(this.#writer.take())) this.#writer.reuse()
    if (this.#pipe.queuedBytes > this.#options.limits.maxQueuedBytes) {
      this.#slowSinceMs ??= this.#options.clock.monotonicMs()
    }
  }

  /** For its pipe. */
  drained(): void {
    this.#slowSinceMs = undefined
    if (this.#pipe.queuedBytes === 0) this.#writer.reuse()
    if (this.#paused) {
      this.#paused = false
      this.#resume()
    }
    this.#tellRoom()
  }

  #tellRoom(): void {
    const waiting = this.#onRoom
    if (waiting === undefined) return
    this.#onRoom = undefined
    for (const resume of waiting) resume()
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
    if (frame.type === frameType.ping) this.send(frameType.pong, 0, 0)
    else if (frame.type === frameType.pong) this.#onPong()
    else this.#owner.onFrame(frame)
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
    this.#closed(lost(cause))
  }

  /** The peer sent nonsense: tell it, then close. */
  #refuse(reason: CoveyError): void {
    if (this.#state !== 'open') return
    this.sayFarewell(reason)
    this.#flush()
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
    this.#tellRoom()
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

  // What follows is for its watch.

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
    const { limits } = this.#options
    this.#checkPartial(nowMs)
    // The WebSocket of a browser sends what is queued and never tells.
    if (this.#pipe.queuedBytes <= limits.maxQueuedBytes) this.drained()
    if (this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs > limits.slowReaderMs) {
      const reason = `the peer took nothing for ${limits.slowReaderMs} ms, ${this.#pipe.queuedBytes} bytes wait`
      this.fail(new CoveyError('CONNECTION_LOST', reason))
    }
    return this.#partialSinceMs !== undefined || this.#slowSinceMs !== undefined
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
