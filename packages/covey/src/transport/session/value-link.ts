import type { ByteWriter } from '../../base/byte-writer.ts'
import type { Codec, ConnectionCodec } from '../../codec/codec.ts'
import { u32At } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameHeadBytes, frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { sendErrorData } from '../../error/send-error-data.ts'
import type { Limits } from '../limits.ts'
import type { FrameLink } from './frame-link.ts'
import { IncomingStream, type UnreadItems } from './incoming-stream.ts'
import { OutgoingStream } from './outgoing-stream.ts'

/**
 * So many short messages are sent before a codec begins to remember what objects look like: a connection that says little
 * gains nothing by that, and a kilobyte of memory is much where there are ten thousand.
 */
const earlyMessages = 3
/** One that is longer ends this. */
const earlyBytes = 512

/** What both ends of a connection say in the codec that the handshake chose: values, errors, elements of streams. */
export class ValueLink {
  /** Opened when there is something to remember. */
  #codec: Codec
  /** Messages that are still sent without a memory. */
  #early: number
  readonly #link: FrameLink
  readonly #limits: Limits
  readonly #unread: UnreadItems = { bytes: 0 }

  constructor(link: FrameLink, codec: Codec, limits: Limits) {
    this.#link = link
    this.#codec = codec
    this.#early = codec.open === undefined ? 0 : earlyMessages
    this.#limits = limits
  }

  /**
   * Sends a value as the body of a frame, and no body for undefined.
   * @returns size of the frame in bytes
   * @throws CoveyError `UNENCODABLE`, `MESSAGE_TOO_LARGE`; nothing was sent then
   */
  send(type: number, id: number, value: unknown): number {
    return this.#link.send(type, 0, id, (out) => {
      if (value !== undefined) this.encode(value, out)
    })
  }

  /** Writes a value that will be sent before any other. @throws CoveyError `UNENCODABLE` */
  encode(value: unknown, out: ByteWriter): void {
    if (this.#early > 0) this.#encodeEarly(value, out)
    else this.#codec.encode(value, out)
  }

  /** Reads a value. @throws CoveyError `PROTOCOL_ERROR` if it is none */
  decode(bytes: Uint8Array, start: number, end: number): unknown {
    const codec = this.#codec
    if (codec.decodeFirst !== undefined) return codec.decodeFirst(bytes, start, end)
    return codec.decode(bytes, start, end)
  }

  #encodeEarly(value: unknown, out: ByteWriter): void {
    const start = out.size
    this.#codec.encode(value, out)
    this.#early = out.size - start > earlyBytes ? 0 : this.#early - 1
    if (this.#early === 0) this.#open()
  }

  #open(): void {
    this.#early = 0
    this.#codec = this.#codec.open?.((body) => this.#sendShape(body)) ?? this.#codec
  }

  /** Sends an error, or as much of it as can be sent. */
  sendError(id: number, error: CoveyError): void {
    sendErrorData(error.toData(), (data) => this.send(frameType.error, id, data))
  }

  /** The value of a frame. @throws CoveyError `PROTOCOL_ERROR` if it is none */
  read(frame: Frame): unknown {
    if (frame.start === frame.end) return undefined
    return this.decode(frame.bytes, frame.start, frame.end)
  }

  /**
   * Takes a shape frame in.
   * @throws CoveyError `PROTOCOL_ERROR` if there is something wrong with it, or the codec knows no shapes
   */
  learnShape(frame: Frame): void {
    if (this.#codec.open !== undefined) this.#open()
    const codec = this.#codec as Codec & Partial<ConnectionCodec>
    if (codec.learnShape === undefined || frame.id !== 0) {
      throw new CoveyError('PROTOCOL_ERROR', 'a shape frame where none may be sent')
    }
    codec.learnShape(frame.bytes, frame.start, frame.end)
  }

  #sendShape(body: (out: ByteWriter) => void): boolean {
    if (this.#link.open) this.#link.send(frameType.shape, 0, 0, body)
    return this.#link.open
  }

  /** The elements that will come under a number; the sender is granted more as they are taken. */
  incoming(id: number, onLeft: () => void): IncomingStream {
    return new IncomingStream({
      windowBytes: this.#limits.streamWindowBytes,
      unread: this.#unread,
      grant: (bytes) => {
        if (this.#link.open) this.#link.send(frameType.credit, 0, id, (out) => out.u32(bytes))
      },
      onLeft,
    })
  }

  /**
   * Why a stream that has just got an element is to be ended: all streams of the connection together hold too much for their readers, and
   * this one holds more than its share.
   */
  excess(stream: IncomingStream): CoveyError | undefined {
    const { maxUnreadBytes, maxStreamsPerConnection } = this.#limits
    if (this.#unread.bytes <= maxUnreadBytes) return undefined
    const share = maxUnreadBytes / maxStreamsPerConnection
    if (stream.heldBytes <= share) return undefined
    const message = `more than ${maxUnreadBytes} bytes of streams wait for their readers on this connection, ${stream.heldBytes} of this one`
    return new CoveyError('RESOURCE_EXHAUSTED', message)
  }

  /** Sends the elements of `source` under a number, as far as the reader grants it: first `windowBytes`. */
  outgoing(id: number, source: unknown, windowBytes: number): OutgoingStream {
    return new OutgoingStream(source as AsyncIterable<unknown>, windowBytes, {
      send: (item) => this.send(frameType.item, id, item),
      room: () => (this.#link.full ? this.#link.room() : undefined),
    })
  }
}

/** Size of a frame as it counts for the window of its stream. */
export function countedBytes(frame: Frame): number {
  return frame.end - frame.start + frameHeadBytes
}

/** How much a credit frame grants. @throws CoveyError `PROTOCOL_ERROR` */
export function creditOf(frame: Frame): number {
  if (frame.end - frame.start === 4) return u32At(frame.bytes, frame.start)
  throw new CoveyError('PROTOCOL_ERROR', 'a malformed credit')
}
