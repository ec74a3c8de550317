import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Call } from '../../call/call.ts'
import { givesStream, takesStream } from '../../call/method-ref.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { IncomingStream } from '../session/incoming-stream.ts'
import { OutgoingStream } from '../session/outgoing-stream.ts'
import { callIsOver, sourceError } from '../session/stream-errors.ts'
import type { Flight } from './flights.ts'
import { FrameBody } from './frame-body.ts'
import { errorIn, failureOf, type HttpRoute, requestFor } from './http-route.ts'
import { headerName, mediaType, mediaTypeOf } from './wire.ts'

/** Time for a server to answer a cancellation, in milliseconds. */
const cancelMs = 500

/** Sends a call that streams; settles as a handler does: with its elements, or of a client stream with the result. */
export function callStream(call: Call, route: HttpRoute): Promise<unknown> {
  return new StreamFlight(call, route).result
}

class StreamFlight implements Flight {
  readonly result: Promise<unknown>
  readonly fail = (reason: CoveyError): void => this.#fail(reason)
  readonly #call: Call
  readonly #route: HttpRoute
  readonly #settled = Promise.withResolvers<unknown>()
  readonly #sent: ClientRequest
  readonly #body: FrameBody
  readonly #items: IncomingStream
  #source: OutgoingStream | undefined
  #over = false

  constructor(call: Call, route: HttpRoute) {
    const { clock, limits } = route.options
    const bounds = { clock, limits, maxSentBytes: route.link.welcome.maxFrameBytes }
    this.#call = call
    this.#route = route
    this.result = this.#settled.promise
    this.#sent = requestFor(call, route, {
      accept: `${mediaType.frames}, ${mediaType.msgpack}`,
      'content-type': mediaType.frames,
      [headerName.window]: limits.streamWindowBytes,
    })
    this.#body = new FrameBody(this.#sent, bounds, {
      onItem: (value, bytes) => this.#items.push(value, bytes),
      onCredit: (bytes) => this.#source?.grant(bytes),
      onEnd: () => this.#finish(() => this.#items.finish()),
      onResult: (value) => this.#finish(() => this.#settled.resolve(value)),
      onError: (error) => this.#finish(() => this.#refuse(error)),
      onCancel: () => {
        throw new CoveyError('PROTOCOL_ERROR', 'a cancellation from the server')
      },
      onLate: () => this.#lost(`half a frame for ${limits.partialFrameMs} ms`),
      onSlow: () => this.#lost(`the server took nothing for ${limits.slowReaderMs} ms`),
    })
    this.#items = new IncomingStream({
      windowBytes: limits.streamWindowBytes,
      grant: (bytes) => void (this.#over || this.#body.credit(bytes)),
      onLeft: () => this.#fail(new CoveyError('CANCELLED', 'the reader left the stream')),
    })
    route.flights.add(this)
    this.#begin()
  }

  #begin(): void {
    const failure = failureOf(this.#sent, this.#route.address)
    this.#sent.on('error', (error) => this.#fail(failure(error)))
    this.#sent.on('response', (response: IncomingMessage) => this.#answer(response))
    this.#sent.flushHeaders()
    this.#call.onCancel(this.fail)
    if (this.#over) return
    try {
      if (takesStream(this.#call.method.kind)) this.#upload()
      else this.#body.item(this.#call.input)
    } catch (error) {
      this.#fail(CoveyError.from(error))
    }
  }

  /** Sends the caller's elements until they end, or the call does. */
  #upload(): void {
    const source = this.#call.input as AsyncIterable<unknown>
    const stream = new OutgoingStream(source, this.#route.link.welcome.streamWindowBytes, {
      send: (item) => this.#body.item(item),
      room: () => this.#body.room(),
    })
    this.#source = stream
    stream.run().then(
      () => {
        if (!this.#over) this.#body.end()
      },
      (error) => this.#fail(sourceError(error)),
    )
  }

  #answer(response: IncomingMessage): void {
    this.#route.link.heard()
    const type = mediaTypeOf(response.headers['content-type'])
    if (response.statusCode !== 200 || type !== mediaType.frames) {
      const fail = (error: unknown) => this.#fail(CoveyError.from(error))
      errorIn(response, this.#route).then(fail, fail)
      return
    }
    response.on('error', () => {})
    response.on('data', (bytes: Uint8Array) => this.#data(bytes))
    response.on('close', () => this.#lost('the answer was cut off'))
    if (givesStream(this.#call.method.kind)) this.#settled.resolve(this.#items)
  }

  #data(bytes: Uint8Array): void {
    this.#route.link.heard()
    if (this.#over) return
    try {
      this.#body.push(bytes)
    } catch (error) {
      this.#fail(CoveyError.from(error))
    }
  }

  /** The server has said its last word; the rest of the request ends in order, so that its socket is used again. */
  #finish(tell: () => void): void {
    if (!this.#close()) return
    tell()
    this.#body.flush()
    this.#sent.end()
  }

  #fail(reason: CoveyError): void {
    if (!this.#close()) return
    this.#refuse(reason)
    const sent = this.#sent
    const unsent = sent.socket === null || sent.socket.connecting
    // Elements that were sent are a call that the server is to hear the end of, even if they have not left yet.
    if (sent.destroyed || (unsent && this.#source === undefined)) return void sent.destroy()
    this.#body.cancel(reason)
    this.#body.flush()
    sent.end()
    // The server's last word frees the socket for others; one that has none loses it.
    const timer = this.#route.options.clock.after(cancelMs, () => void sent.destroy())
    sent.once('close', timer.stop)
  }

  #lost(why: string): void {
    this.#fail(new CoveyError('CONNECTION_LOST', `${this.#route.address}: ${why}`))
  }

  #refuse(reason: CoveyError): void {
    this.#settled.reject(reason)
    this.#items.finish(reason)
  }

  #close(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#body.stop()
    this.#route.flights.delete(this)
    this.#call.offCancel(this.fail)
    this.#source?.abort(callIsOver())
    return true
  }
}
