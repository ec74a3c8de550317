import type { IncomingMessage } from 'node:http'
import type { Call } from '../../call/call.ts'
import { givesStream, type MethodRef, takesStream } from '../../call/method-ref.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from '../session/incoming-stream.ts'
import { OutgoingStream } from '../session/outgoing-stream.ts'
import { callIsOver } from '../session/stream-errors.ts'
import type { CallDesk } from './call-desk.ts'
import type { CallHeaders } from './call-headers.ts'
import type { Exchange } from './exchange.ts'
import { FrameBody } from './frame-body.ts'
import { headerName, mediaType } from './wire.ts'

/**
 * Answers a streaming call of a client of this framework: frames in both bodies at once, so that each side is held back by
 * what the other has read and not by what the network between them can store.
 */
export async function serveFrames(
  desk: CallDesk,
  exchange: Exchange,
  method: MethodRef,
  headers: CallHeaders,
): Promise<void> {
  await new FrameService(desk, exchange, method).serve(headers)
}

class FrameService {
  readonly #desk: CallDesk
  readonly #exchange: Exchange
  readonly #method: MethodRef
  readonly #body: FrameBody
  readonly #items: IncomingStream
  readonly #first = Promise.withResolvers<unknown>()
  /** Bytes of our elements that the client has room for, until there is a stream to count them. */
  #window: number
  #stream: OutgoingStream | undefined
  #call: Call | undefined
  #opened = false
  #done = false
  #complete = false

  constructor(desk: CallDesk, exchange: Exchange, method: MethodRef) {
    const { limits } = desk
    const { maxFrameBytes, partialFrameMs, streamWindowBytes } = limits
    const bounds = { clock: desk.options.clock, limits, maxSentBytes: maxFrameBytes }
    const takes = takesStream(method.kind)
    this.#desk = desk
    this.#exchange = exchange
    this.#method = method
    this.#window = windowOf(exchange.request, streamWindowBytes)
    this.#body = new FrameBody(exchange.response, bounds, {
      onItem: (value, bytes) =>
        takes ? this.#items.push(value, bytes) : this.#first.resolve(value),
      onCredit: (bytes) => this.#grant(bytes),
      onEnd: () => this.#end(),
      onResult: unexpected,
      onError: unexpected,
      onCancel: (reason) => this.#broken(reason),
      onLate: () => this.#late(`a frame was not complete within ${partialFrameMs} ms`),
      onSlow: () => exchange.cutOff(),
    })
    this.#items = new IncomingStream({
      windowBytes: streamWindowBytes,
      grant: (bytes) => void (this.#done || this.#body.credit(bytes)),
      onLeft() {},
    })
    this.#first.promise.catch(() => {})
  }

  async serve(headers: CallHeaders): Promise<void> {
    this.#read(this.#exchange.request)
    const { dispatcher } = this.#desk
    const takes = takesStream(this.#method.kind)
    const input = takes ? this.#items : await this.#firstItem()
    const call = this.#desk.begin(this.#exchange, this.#method, input, headers)
    this.#call = call
    call.onCancel((reason) => {
      this.#stream?.abort(reason)
      this.#fail(reason)
    })
    // Credit may have to be given long before there is anything to answer.
    if (takes) this.#open()
    try {
      const result = await dispatcher.serve(call)
      if (givesStream(this.#method.kind)) await this.#send(result as AsyncIterable<unknown>)
      else this.#finish(() => this.#body.result(result))
    } catch (error) {
      this.#fail(CoveyError.from(error))
    }
  }

  #read(request: IncomingMessage): void {
    request.on('data', (chunk: Buffer) => {
      if (this.#done) return
      try {
        this.#body.push(chunk)
      } catch (error) {
        this.#broken(CoveyError.from(error))
      }
    })
    request.on('error', () => {})
    request.on('close', () => {
      // A client that has said all it had to say may end its body.
      if (!this.#complete) this.#broken(new CoveyError('CANCELLED', 'the body was cut off'))
    })
  }

  async #firstItem(): Promise<unknown> {
    const { limits, options } = this.#desk
    const limitMs = limits.partialFrameMs
    const timer = options.clock.after(limitMs, () => {
      this.#late(`no input within ${limitMs} ms`)
    })
    return this.#first.promise.finally(() => timer.stop())
  }

  #end(): void {
    this.#complete = true
    this.#items.finish()
  }

  #late(message: string): void {
    this.#broken(new CoveyError('DEADLINE_EXCEEDED', message))
  }

  #broken(error: CoveyError): void {
    this.#first.reject(error)
    this.#items.finish(error)
    this.#call?.cancel(error)
  }

  #grant(bytes: number): void {
    if (this.#stream === undefined) this.#window += bytes
    else this.#stream.grant(bytes)
  }

  async #send(source: AsyncIterable<unknown>): Promise<void> {
    this.#stream = new OutgoingStream(source, this.#window, {
      send: (item) => this.#body.item(item),
      room: () => this.#body.room(),
    })
    if (this.#done) return this.#stream.abort(callIsOver())
    this.#open()
    await this.#stream.run()
    this.#finish(() => this.#body.end())
  }

  #open(): void {
    if (this.#opened || this.#done) return
    this.#opened = true
    this.#exchange.open({ 'content-type': mediaType.frames })
  }

  /** The handler gets no more of the caller's elements. */
  #close(): void {
    this.#done = true
    this.#body.stop()
    this.#items.abort(this.#call?.cancelled ?? callIsOver())
  }

  #fail(error: CoveyError): void {
    if (this.#opened) return this.#finish(() => this.#body.error(error))
    if (this.#done) return
    this.#close()
    this.#exchange.problem(error)
  }

  #finish(send: () => void): void {
    if (this.#done) return
    this.#open()
    this.#close()
    try {
      send()
    } catch (error) {
      this.#body.error(CoveyError.from(error))
    }
    this.#body.flush()
    this.#exchange.end()
  }
}

function windowOf({ headers }: IncomingMessage, fallback: number): number {
  const bytes = Number(headers[headerName.window])
  return Number.isSafeInteger(bytes) && bytes >= 1_024 ? bytes : fallback
}

function unexpected(): never {
  throw new CoveyError('PROTOCOL_ERROR', 'a result or an error from the client')
}
