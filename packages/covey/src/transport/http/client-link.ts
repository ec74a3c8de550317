import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { closedHere } from '../endings.ts'
import { unreachable } from '../limit-opening.ts'
import { LinkWatch, type Watched } from '../session/link-watch.ts'
import { guard } from '../tcp/guard.ts'
import type { ConnectOptions } from '../transport.ts'
import type { LinkWelcome } from './link-set.ts'

/** Frames of a link are small. */
const maxLinkFrameBytes = 64 * 1024

/** What a link tells its connection. */
export interface ClientLinkEvents {
  /** How many are in flight. */
  readonly calls: number
  onGoAway(): void
  /** The instance stands still, or was heard again. */
  onStalled(): void
  /** The instance has ended it behind `goAway`; on other sockets answers may still be on their way. */
  onEnded(reason: CoveyError): void
  /** It is gone, and with it the instance. */
  onLost(reason: CoveyError): void
}

/**
 * The client's end of an answer that never ends: shows that the instance is there, and says when it stops. It does not
 * keep the process alive. Silence is asked about by requests beside it, and judged as on the other transports.
 */
export class ClientLink implements Watched {
  readonly welcome: LinkWelcome
  readonly guarded: boolean
  readonly stallMs: number
  /** Never: what arrives here is read at once. */
  readonly held = false
  events: ClientLinkEvents | undefined
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  readonly #clock: Clock
  readonly #ask: (link: string, calls: number | undefined) => void
  readonly #decoder: FrameDecoder
  readonly #watch: LinkWatch
  #lost: CoveyError | undefined
  #goesAway = false

  /** @param ask sends `HEAD /rpc?link=…`, whose answer comes here, behind `goAway` with the number of calls in flight */
  constructor(
    request: ClientRequest,
    response: IncomingMessage,
    options: ConnectOptions,
    { welcome, decoder, more }: LinkGreeting,
    ask: (link: string, calls: number | undefined) => void,
  ) {
    const { clock, limits, onStalled } = options
    const { askMs } = welcome
    const idlePingMs = Math.min(limits.idlePingMs, askMs)
    const pingMs = Math.min(limits.pingMs, askMs)
    this.welcome = welcome
    this.guarded = guard(response.socket, limits)
    this.stallMs = onStalled === undefined ? Number.POSITIVE_INFINITY : limits.stallMs
    this.#request = request
    this.#response = response
    this.#clock = clock
    this.#ask = ask
    this.#decoder = decoder
    this.#watch = new LinkWatch(this, { ...limits, idlePingMs, pingMs }, clock)
    this.#watch.established()
    response.on('data', (bytes: Uint8Array) => this.#data(bytes))
    response.on('error', () => {})
    response.on('close', () => this.#end('the server closed the connection'))
    request.on('error', () => {})
    request.socket?.unref()
    for (const frame of more) this.#frame(frame)
    response.resume()
  }

  get goesAway(): boolean {
    return this.#goesAway
  }

  get lost(): CoveyError | undefined {
    return this.#lost
  }

  /** Whether the instance stands still. */
  get stalled(): boolean {
    return this.#watch.stalled
  }

  get stalledMs(): number | undefined {
    return this.#watch.stalledMs
  }

  /** A call leaves. */
  sent(): void {
    this.#watch.sent()
  }

  /** Something came from the instance, here or on another socket. */
  heard(): void {
    if (this.#lost === undefined) this.#watch.heard(this.#clock.monotonicMs())
  }

  /** No call is in flight any more: an instance that stops waits for that. */
  idle(): void {
    if (this.#goesAway && this.#lost === undefined) this.ping()
  }

  close(): void {
    this.#watch.stop()
    this.#lost ??= closedHere()
    this.#request.destroy()
    this.#response.destroy()
  }

  // What follows is for its watch.

  get busy(): boolean {
    return this.#calls > 0
  }

  ping(): void {
    this.#ask(this.welcome.link, this.#goesAway ? this.#calls : undefined)
  }

  look(): boolean {
    return false
  }

  fail({ message }: CoveyError): void {
    this.#end(message)
  }

  onStalled(): void {
    this.events?.onStalled()
  }

  #data(bytes: Uint8Array): void {
    this.heard()
    try {
      this.#decoder.push(bytes, (frame) => this.#frame(frame))
    } catch (error) {
      this.#end(CoveyError.from(error).message)
    }
  }

  #frame({ type }: Frame): void {
    if (type !== frameType.goAway || this.#goesAway) return
    this.#goesAway = true
    this.events?.onGoAway()
    if (this.#lost === undefined) this.ping()
  }

  get #calls(): number {
    return this.events?.calls ?? 0
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return
    const reason = new CoveyError('CONNECTION_LOST', why)
    this.#lost = reason
    this.close()
    if (this.#goesAway && this.#response.complete) this.events?.onEnded(reason)
    else this.events?.onLost(reason)
  }
}

/** The beginning of a link. */
export interface LinkGreeting {
  readonly welcome: LinkWelcome
  /** Has taken all bytes that came so far. */
  readonly decoder: FrameDecoder
  /** Frames that came together with the welcome. */
  readonly more: readonly Frame[]
}

/**
 * Reads the first frame of a link. What follows waits until it is read.
 * @throws CoveyError `PROTOCOL_ERROR`, `MESSAGE_TOO_LARGE`, `UNAVAILABLE`
 */
export function readWelcome(response: IncomingMessage, address: string): Promise<LinkGreeting> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder(maxLinkFrameBytes)
    const frames: Frame[] = []
    const settle = () => {
      response.off('data', onData).off('close', onClose).pause()
    }
    const onData = (bytes: Uint8Array) => {
      try {
        decoder.push(bytes, (frame) => frames.push(frame))
        const [first, ...more] = frames
        if (first === undefined) return
        settle()
        resolve({ welcome: toWelcome(first, address), decoder, more })
      } catch (error) {
        settle()
        reject(error)
      }
    }
    const onClose = () => {
      settle()
      reject(unreachable(address, 'the server closed the connection before it said its welcome'))
    }
    response.on('data', onData).on('close', onClose)
    response.on('error', () => {})
  })
}

/** As strict as the handshake of the other transports. */
function toWelcome({ type, bytes, start, end }: Frame, address: string): LinkWelcome {
  const value = type === frameType.welcome ? jsonCodec.decode(bytes, start, end) : undefined
  if (typeof value !== 'object' || value === null) {
    throw new CoveyError('PROTOCOL_ERROR', `${address}: no welcome from the server`)
  }
  const said = value as Record<string, unknown>
  const wrong = (field: string, expected: string) => {
    const message = `${address}: welcome of the server: ${field} is not ${expected}`
    return new CoveyError('PROTOCOL_ERROR', message)
  }
  const textIn = (field: string, maxLength: number) => {
    const text = said[field]
    if (typeof text === 'string' && text.length <= maxLength) return text
    throw wrong(field, `text of at most ${maxLength} characters`)
  }
  const bytesIn = (field: string) => {
    const size = said[field]
    if (Number.isSafeInteger(size) && (size as number) >= 1024) return size as number
    throw wrong(field, 'a whole number of at least 1024')
  }
  const { askMs } = said
  if (typeof askMs !== 'number' || !(askMs >= 1)) throw wrong('askMs', 'a number of at least 1')
  return {
    instance: textIn('instance', 200),
    link: textIn('link', 64),
    askMs,
    maxFrameBytes: bytesIn('maxFrameBytes'),
    streamWindowBytes: bytesIn('streamWindowBytes'),
  }
}
