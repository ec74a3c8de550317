import { randomUUID } from 'node:crypto'
import type { Timer } from '../../base/clock.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { accepts, mediaType } from './wire.ts'

/** What a door says of itself to clients of this framework. */
export interface LinkWelcome {
  readonly instance: string
  /** Largest body and largest frame it takes. */
  readonly maxFrameBytes: number
  /** Bytes of items it takes ahead of a handler. */
  readonly streamWindowBytes: number
  /** Name of this link, for `HEAD /rpc?link=…`. Nobody else can know it. */
  readonly link: string
  /** The client has to ask as often as this, in milliseconds; one that does not counts as gone some time later. */
  readonly askMs: number
}

/** A client that was not heard for so many times `askMs` is gone. */
const askedTooLate = 2

interface Link {
  readonly exchange: Exchange
  askedMs: number
}

/**
 * The answers to `GET /rpc`. For clients of this framework it never ends: it says at once when the instance stops, which no other
 * request could tell a client that waits, and answers the client that asks by `HEAD /rpc?link=…` whether the instance lives.
 * Nothing else is written there: the system asks by itself whether the other machine is there (TCP keep-alive), but only where
 * nothing is on its way. So a client that is gone is noticed within `silenceMs`, or, if it went while an answer was on its way,
 * as one that does not ask any more.
 */
export class LinkSet {
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #links = new Map<string, Link>()
  #timer: Timer | undefined
  #goingAway = false

  constructor(dispatcher: Dispatcher, options: ListenOptions) {
    this.#dispatcher = dispatcher
    this.#options = options
  }

  answer(exchange: Exchange): void {
    const { clock, limits } = this.#options
    const { maxFrameBytes, streamWindowBytes } = limits
    const common = { instance: this.#dispatcher.instance, maxFrameBytes, streamWindowBytes }
    if (!accepts(exchange.request.headers.accept, mediaType.frames)) return exchange.value(common)
    const link = randomUUID()
    const welcome: LinkWelcome = { ...common, link, askMs: limits.idlePingMs }
    exchange.open({ 'content-type': mediaType.frames })
    exchange.response.write(frame(frameType.welcome, JSON.stringify(welcome)))
    if (this.#goingAway) exchange.response.write(frame(frameType.goAway))
    this.#links.set(link, { exchange, askedMs: clock.monotonicMs() })
    this.#timer ??= clock.every(limits.idlePingMs, () => this.#look())
    exchange.response.once('close', () => this.#remove(link))
  }

  /**
   * The client of a link asks whether the instance lives; the answer goes to the link.
   * @throws CoveyError where there is no such link
   */
  asked(exchange: Exchange, link: string): void {
    const known = this.#links.get(link)
    if (known === undefined) throw noLink()
    known.askedMs = this.#options.clock.monotonicMs()
    const { response } = known.exchange
    if (!response.writableNeedDrain) response.write(frame(frameType.pong))
    exchange.send(204, undefined, {})
  }

  /** Tells all clients to send nothing new, and those that come later as well. */
  goAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    for (const { exchange } of this.#links.values()) {
      exchange.response.write(frame(frameType.goAway))
    }
  }

  close(): void {
    for (const { exchange } of [...this.#links.values()]) exchange.end()
  }

  #look(): void {
    // What has arrived while this process was held up is read first.
    this.#options.clock.after(0, () => {
      const { clock, limits } = this.#options
      const latestMs = clock.monotonicMs() - askedTooLate * limits.idlePingMs
      for (const { exchange, askedMs } of [...this.#links.values()]) {
        if (askedMs < latestMs) exchange.cutOff()
      }
    })
  }

  #remove(link: string): void {
    this.#links.delete(link)
    if (this.#links.size > 0) return
    this.#timer?.stop()
    this.#timer = undefined
  }
}

function noLink(): HttpError {
  return new HttpError(new CoveyError('PROTOCOL_ERROR', 'there is no such link'), 404)
}

function frame(type: number, body = ''): Uint8Array {
  const writer = new FrameWriter(64 * 1024)
  writer.frame(type, 0, 0, (out) => void (body !== '' && out.text(body)))
  return writer.take()
}
