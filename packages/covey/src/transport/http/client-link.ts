import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Timer } from '../../base/clock.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { closedHere } from '../endings.ts'
import type { ConnectOptions } from '../transport.ts'
import type { LinkWelcome } from './link-set.ts'

/** Frames of a link are small. */
const maxLinkFrameBytes = 64 * 1024

/** What a link tells its connection. */
export interface ClientLinkEvents {
  onGoAway(): void
  /** It is gone, and with it the instance. */
  onLost(reason: CoveyError): void
}

/**
 * The client's end of an answer that never ends: shows that the instance is there, and says when it stops. It does not
 * keep the process alive.
 */
export class ClientLink {
  readonly welcome: LinkWelcome
  events: ClientLinkEvents | undefined
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  readonly #options: ConnectOptions
  readonly #decoder: FrameDecoder
  readonly #timer: Timer
  #heardMs: number
  #lost: CoveyError | undefined
  #goesAway = false

  constructor(
    request: ClientRequest,
    response: IncomingMessage,
    options: ConnectOptions,
    { welcome, decoder, more }: LinkGreeting,
  ) {
    const { clock, limits } = options
    this.welcome = welcome
    this.#decoder = decoder
    this.#request = request
    this.#response = response
    this.#options = options
    this.#heardMs = clock.monotonicMs()
    this.#timer = clock.every(limits.pingMs, () => this.#watch())
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

  close(): void {
    this.#timer.stop()
    this.#lost ??= closedHere()
    this.#request.destroy()
    this.#response.destroy()
  }

  #data(bytes: Uint8Array): void {
    this.#heardMs = this.#options.clock.monotonicMs()
    try {
      this.#decoder.push(bytes, (frame) => this.#frame(frame))
    } catch (error) {
      this.#end(CoveyError.from(error).message)
    }
  }

  #frame({ type }: Frame): void {
    if (type !== frameType.goAway) return
    this.#goesAway = true
    this.events?.onGoAway()
  }

  #watch(): void {
    const silentMs = this.#options.clock.monotonicMs() - this.#heardMs
    if (silentMs > this.#options.limits.silenceMs) {
      this.#end(`nothing heard for ${Math.round(silentMs)} ms`)
    }
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return
    const reason = new CoveyError('CONNECTION_LOST', why)
    this.#lost = reason
    this.close()
    this.events?.onLost(reason)
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
export function readWelcome(response: IncomingMessage): Promise<LinkGreeting> {
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
        resolve({ welcome: toWelcome(first), decoder, more })
      } catch (error) {
        settle()
        reject(error)
      }
    }
    const onClose = () => {
      settle()
      reject(new CoveyError('UNAVAILABLE', 'the server closed the connection'))
    }
    response.on('data', onData).on('close', onClose)
    response.on('error', () => {})
  })
}

/** As strict as the handshake of the other transports. */
function toWelcome({ type, bytes, start, end }: Frame): LinkWelcome {
  const value = type === frameType.welcome ? jsonCodec.decode(bytes, start, end) : undefined
  if (typeof value !== 'object' || value === null) {
    throw new CoveyError('PROTOCOL_ERROR', 'no welcome from the server')
  }
  const said = value as Record<string, unknown>
  const { instance } = said
  if (typeof instance !== 'string' || instance.length > 200) {
    throw wrong('instance', 'text of at most 200 characters')
  }
  return {
    instance,
    maxFrameBytes: bytesIn(said, 'maxFrameBytes'),
    streamWindowBytes: bytesIn(said, 'streamWindowBytes'),
  }
}

function bytesIn(said: Record<string, unknown>, field: string): number {
  const value = said[field]
  if (Number.isSafeInteger(value) && (value as number) >= 1024) return value as number
  throw wrong(field, 'a whole number of at least 1024')
}

function wrong(field: string, expected: string): CoveyError {
  return new CoveyError('PROTOCOL_ERROR', `welcome of the server: ${field} is not ${expected}`)
}
