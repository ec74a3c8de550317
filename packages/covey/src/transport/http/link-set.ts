import type { Timer } from '../../base/clock.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import type { Dispatcher, ListenOptions } from '../transport.ts'
import type { Exchange } from './exchange.ts'
import { accepts, mediaType } from './wire.ts'

/** What a door says of itself to clients of this framework. */
export interface LinkWelcome {
  readonly instance: string
  /** Largest body and largest frame it takes. */
  readonly maxFrameBytes: number
  /** Bytes of items it takes ahead of a handler. */
  readonly streamWindowBytes: number
}

/**
 * The answers to `GET /rpc`. For clients of this framework it never ends: it shows that the instance lives, and says at
 * once when it stops, which no other request could tell a client that waits.
 */
export class LinkSet {
  readonly #dispatcher: Dispatcher
  readonly #options: ListenOptions
  readonly #links = new Set<Exchange>()
  #timer: Timer | undefined
  #goingAway = false

  constructor(dispatcher: Dispatcher, options: ListenOptions) {
    this.#dispatcher = dispatcher
    this.#options = options
  }

  answer(exchange: Exchange): void {
    const { limits } = this.#options
    const welcome: LinkWelcome = {
      instance: this.#dispatcher.instance,
      maxFrameBytes: limits.maxFrameBytes,
      streamWindowBytes: limits.streamWindowBytes,
    }
    if (!accepts(exchange.request.headers.accept, mediaType.frames)) return exchange.value(welcome)
    exchange.open({ 'content-type': mediaType.frames })
    exchange.response.write(frame(frameType.welcome, JSON.stringify(welcome)))
    if (this.#goingAway) exchange.response.write(frame(frameType.goAway))
    this.#links.add(exchange)
    this.#timer ??= this.#options.clock.every(limits.pingMs, () => this.#ping())
    exchange.response.once('close', () => this.#remove(exchange))
  }

  /** Tells all clients to send nothing new, and those that come later as well. */
  goAway(): void {
    if (this.#goingAway) return
    this.#goingAway = true
    for (const { response } of this.#links) response.write(frame(frameType.goAway))
  }

  close(): void {
    for (const exchange of [...this.#links]) exchange.end()
  }

  #ping(): void {
    const ping = frame(frameType.ping)
    for (const { response } of this.#links) if (!response.writableNeedDrain) response.write(ping)
  }

  #remove(exchange: Exchange): void {
    this.#links.delete(exchange)
    if (this.#links.size > 0) return
    this.#timer?.stop()
    this.#timer = undefined
  }
}

function frame(type: number, body = ''): Uint8Array {
  const writer = new FrameWriter(64 * 1024)
  writer.frame(type, 0, 0, (out) => void (body !== '' && out.text(body)))
  return writer.take()
}
