import { afterReading } from '../../base/after-reading.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import { FrameDecoder, u32At } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { msgpackCodec } from '../../codec/msgpack-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { readErrorData } from '../../error/read-error-data.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import type { Limits } from '../limits.ts'
import { readReason, reasonData } from '../session/cancel-reason.ts'
import { BodyWriter, type WritableBody } from './body-writer.ts'

/** The id of all frames: a body belongs to one call. */
const callId = 1

/** Bounds on both directions. */
export interface FrameBodyOptions {
  readonly clock: Clock
  /** Those of this side; the largest frame it takes is one, whatever the other side says. */
  readonly limits: Limits
  /** Largest frame that the other side takes, in bytes. */
  readonly maxSentBytes: number
}

/** What arrives in the other direction. */
export interface FrameBodyEvents {
  onItem(value: unknown, bytes: number): void
  onCredit(bytes: number): void
  onEnd(): void
  onResult(value: unknown): void
  onError(error: CoveyError): void
  onCancel(reason: CoveyError): void
  /** A frame has begun, and was not complete within `partialFrameMs`. */
  onLate(): void
  /** Nothing of what waits for the other side has left for `slowReaderMs`. */
  onSlow(): void
}

/** Frames of one call in the bodies of one request and its answer, values in MessagePack. */
export class FrameBody {
  readonly #writer: FrameWriter
  readonly #out: BodyWriter
  readonly #decoder: FrameDecoder
  readonly #options: FrameBodyOptions
  readonly #events: FrameBodyEvents
  /** Runs while there is half a frame. */
  #late: Timer | undefined

  constructor(target: WritableBody, options: FrameBodyOptions, events: FrameBodyEvents) {
    const { clock, limits, maxSentBytes } = options
    const writer = new FrameWriter(maxSentBytes)
    this.#writer = writer
    this.#out = new BodyWriter(
      target,
      () => writer.size,
      () => writer.take(),
      { clock, slowReaderMs: limits.slowReaderMs, onSlow: () => events.onSlow() },
    )
    this.#decoder = new FrameDecoder(limits.maxFrameBytes)
    this.#options = options
    this.#events = events
  }

  /** Sends an element; returns its size. @throws CoveyError `UNENCODABLE`, `MESSAGE_TOO_LARGE` */
  item(value: unknown): number {
    return this.#send(frameType.item, value)
  }

  /** Sends the one result. @throws CoveyError `UNENCODABLE`, `MESSAGE_TOO_LARGE` */
  result(value: unknown): void {
    this.#send(frameType.result, value)
  }

  /** Sends an error, or as much of it as can be sent. */
  error(error: CoveyError): void {
    sendErrorData(error.toData(), (data) => this.#send(frameType.error, data))
  }

  end(): void {
    this.#send(frameType.end, undefined)
  }

  /** Tells the server why the call is given up. */
  cancel(reason: CoveyError): void {
    sendErrorData(reasonData(reason), (data) => this.#send(frameType.cancel, data))
  }

  credit(bytes: number): void {
    this.#writer.frame(frameType.credit, 0, callId, (out) => out.u32(bytes))
    this.#out.flushSoon()
  }

  /** As of a writer. */
  room(): Promise<void> | undefined {
    return this.#out.room()
  }

  /** Writes what waits to leave together at the end of this turn. */
  flush(): void {
    this.#out.flush()
  }

  /**
   * Takes bytes of the other direction.
   * @throws CoveyError `PROTOCOL_ERROR`, `MESSAGE_TOO_LARGE`
   */
  push(bytes: Uint8Array): void {
    this.#decoder.push(bytes, (frame) => {
      this.stop()
      this.#frame(frame)
    })
    if (this.#decoder.partialBytes === 0) return
    const { clock, limits } = this.#options
    this.#late ??= afterReading(clock, limits.partialFrameMs, () => this.#events.onLate())
  }

  /** Nobody waits for the rest of a frame any more. */
  stop(): void {
    this.#late?.stop()
    this.#late = undefined
  }

  #frame(frame: Frame): void {
    const { type, start, end, bytes } = frame
    switch (type) {
      case frameType.item:
        return this.#events.onItem(valueIn(frame), end - start + 10)
      case frameType.credit:
        if (end - start !== 4) throw new CoveyError('PROTOCOL_ERROR', 'a malformed credit')
        return this.#events.onCredit(u32At(bytes, start))
      case frameType.end:
        return this.#events.onEnd()
      case frameType.result:
        return this.#events.onResult(valueIn(frame))
      case frameType.cancel:
        return this.#events.onCancel(readReason(frame, msgpackCodec))
      case frameType.error:
        return this.#events.onError(readErrorData(valueIn(frame)))
      default:
        if (type < 128) throw new CoveyError('PROTOCOL_ERROR', `frame type ${type}`)
    }
  }

  #send(type: number, value: unknown): number {
    const size = this.#writer.frame(type, 0, callId, (out) => {
      if (value !== undefined || type === frameType.item) msgpackCodec.encode(value, out)
    })
    this.#out.flushSoon()
    return size
  }
}

function valueIn({ bytes, start, end }: Frame): unknown {
  return start === end ? undefined : msgpackCodec.decode(bytes, start, end)
}
