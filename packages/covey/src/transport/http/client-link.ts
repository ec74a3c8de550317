import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Timer } from '../../base/clock.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { type Frame, frameType } from '../../codec/frame/frame-type.ts'
import { jsonCodec } from '../../codec/json-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { closedHere } from '../endings.ts'
import type { ConnectOptions } from '../transport.ts'
import type { LinkWelcome } from './link-set.ts'

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
  readonly #decoder = new FrameDecoder(64 * 1024)
  readonly #timer: Timer
  #heardMs: number
  #lost: CoveyError | undefined
  #goesAway = false

  constructor(
    request: ClientRequest,
    response: IncomingMessage,
    options: ConnectOptions,
    first: { readonly welcome: LinkWelcome; readonly rest: Uint8Array },
  ) {
    const { clock, limits } = options
    this.welcome = first.welcome
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
    this.#data(first.rest)
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
      this.#decoder.push(bytes, ({ type }) => {
        if (type === frameType.goAway) this.#goAway()
      })
    } catch (error) {
      this.#end(CoveyError.from(error).message)
    }
  }

  #goAway(): void {
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

/**
 * Reads the first frame of a link.
 * @throws CoveyError `PROTOCOL_ERROR`
 */
export function readWelcome(
  response: IncomingMessage,
): Promise<{ readonly welcome: LinkWelcome; readonly rest: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder(64 * 1024)
    const others: Uint8Array[] = []
    let welcome: LinkWelcome | undefined
    const settle = () => {
      response.off('data', onData).off('close', onClose)
    }
    const onFrame = (frame: Frame) => {
      // Frames that came along are read again by whoever keeps the link.
      if (welcome !== undefined) others.push(frame.bytes.slice(frame.start - 10, frame.end))
      else welcome = toWelcome(frame)
    }
    const onData = (bytes: Uint8Array) => {
      try {
        decoder.push(bytes, onFrame)
      } catch (error) {
        settle()
        return reject(error)
      }
      if (welcome === undefined || decoder.partialBytes > 0) return
      settle()
      resolve({ welcome, rest: Buffer.concat(others) })
    }
    const onClose = () => {
      settle()
      reject(new CoveyError('UNAVAILABLE', 'the server closed the connection'))
    }
    response.on('data', onData).on('close', onClose)
    response.on('error', () => {})
  })
}

function toWelcome({ type, bytes, start, end }: Frame): LinkWelcome {
  const value = type === frameType.welcome ? jsonCodec.decode(bytes, start, end) : undefined
  const { instance, maxFrameBytes, streamWindowBytes } = (value ?? {}) as Record<string, unknown>
  if (
    typeof instance !== 'string' ||
    typeof maxFrameBytes !== 'number' ||
    typeof streamWindowBytes !== 'number'
  ) {
    throw new CoveyError('PROTOCOL_ERROR', 'no welcome from the server')
  }
  return { instance, maxFrameBytes, streamWindowBytes }
}
