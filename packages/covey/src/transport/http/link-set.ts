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
  /** Until its client has said a word after `goAway`; one that says none has nothing to say. */
  silence: Timer | undefined
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
  /** Whose clients may still send calls, or have them in flight. */
  readonly #owing = new Set<Link>()
  #timer: Timer | undefined
  #goingAway = false
  #onQuiet: (() => void)[] = []

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
    const greeting = [frame(frameType.welcome, JSON.stringify(welcome))]
    if (this.#goingAway) greeting.push(frame(frameType.goAway))
    // In one piece, so that no call comes in between.
    exchange.response.write(Buffer.concat(greeting))
    this.#links.set(link, { exchange, askedMs: clock.monotonicMs(), silence: undefined })
    this.#timer ??= clock.every(limits.idlePingMs, () => this.#look())
    exchange.response.once('close', () => this.#remove(link))
  }

  /**
   * The client of a link asks whether the instance lives; the answer goes to the link.
   * @param calls how many it has in flight, if it has read that there are to be no more
   * @throws CoveyError where there is no such link
   */
  asked(exchange: Exchange, link: string, calls: number | undefined): void {
    const known = this.#links.get(link)
    if (known === undefined) throw noLink()
    known.askedMs = this.#options.clock.monotonicMs()
    if (calls !== undefined) known.silence?.stop()
    if (calls === 0) this.#settle(known)
    const { response } = known.exchange
    if (!response.writableNeedDrain) response.write(frame(frameType.pong))
    exchange.send(204, undefined, {})
  }

  /** Tells all clients to send nothing new, and those that come later as well. */
  goAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    const { clock, limits } = this.#options
    for (const link of this.#links.values()) {
      this.#owing.add(link)
      link.silence = clock.after(limits.silenceMs, () => this.#settle(link))
      link.exchange.response.write(frame(frameType.goAway))
    }
  }

  /**
   * Resolves when every client that was told to send nothing new has said that none of its calls is in flight, is gone, or was
   * silent for `silenceMs`. Requests have no order among sockets, so nothing else tells that none is on its way.
   */
  quiet(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#owing.size === 0) resolve()
      else this.#onQuiet.push(resolve)
    })
  }

  close(): void {
    for (const link of [...this.#links.values()]) {
      this.#settle(link)
      link.exchange.end()
    }
  }

  #settle(link: Link): void {
    link.silence?.stop()
    if (!this.#owing.delete(link) || this.#owing.size > 0) return
    const waiting = this.#onQuiet
    this.#onQuiet = []
    for (const resume of waiting) resume()
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
    const known = this.#links.get(link)
    if (known !== undefined) this.#settle(known)
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
