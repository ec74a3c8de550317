import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Peer } from '../../call/peer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { shortErrorData } from '../../error/send-error-data.ts'
import { type BodyCodec, jsonBody, msgpackBody } from './body-codec.ts'
import { hasBody } from './has-body.ts'
import { HttpError } from './http-error.ts'
import { retryAfterSeconds, toProblem } from './problem.ts'
import { whenStill } from './when-still.ts'
import { accepts, mediaType, mediaTypeOf, prefers } from './wire.ts'

/** What all answers of a door have in common. */
export interface AnswerOptions {
  readonly clock: Clock
  /** Time in which a peer has to take something of its answer, in milliseconds. */
  readonly slowReaderMs: number
  /** Added to every answer. */
  readonly headers: OutgoingHttpHeaders
  /** Whether the connection is to be closed after this answer. */
  readonly closing: () => boolean
}

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path of the URL as it was sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Who asks; known once it was authenticated. */
  peer: Peer | undefined
  readonly #options: AnswerOptions

  constructor(request: IncomingMessage, response: ServerResponse, options: AnswerOptions) {
    const url = request.url ?? ''
    const question = url.indexOf('?')
    this.request = request
    this.response = response
    this.path = question < 0 ? url : url.slice(0, question)
    this.query = new URLSearchParams(question < 0 ? '' : url.slice(question))
    this.#options = options
  }

  get contentType(): string {
    return mediaTypeOf(this.request.headers['content-type'])
  }

  /** Whether the answer has begun or can no longer be given. */
  get over(): boolean {
    return this.response.headersSent || this.response.destroyed
  }

  /** How this peer wants values: as it says, else as it sent its own. */
  get codec(): BodyCodec {
    const { accept } = this.request.headers
    if (prefers(accept, mediaType.msgpack, mediaType.json)) return msgpackBody
    if (accepts(accept, mediaType.json)) return jsonBody
    return this.contentType === mediaType.msgpack ? msgpackBody : jsonBody
  }

  /** Sends a result; nothing is 204. What cannot be written is told as an error. */
  value(value: unknown, status = 200, headers: OutgoingHttpHeaders = {}): void {
    if (value === undefined) return this.send(status === 200 ? 204 : status, undefined, headers)
    const { codec } = this
    let body: Uint8Array
    try {
      body = codec.encode(value)
    } catch (error) {
      return this.problem(CoveyError.from(error))
    }
    this.send(status, body, { ...headers, 'content-type': codec.mediaType })
  }

  /** Sends an error, unless the answer has begun. */
  problem(error: CoveyError): void {
    const { codec } = this
    const exact = error instanceof HttpError ? error : undefined
    const problem = toProblem(error, exact?.status)
    const retryAfter = retryAfterSeconds(error)
    const more: Record<string, string> = { ...exact?.headers, 'content-type': codec.problemType }
    if (retryAfter !== undefined) more['retry-after'] = String(retryAfter)
    if (problem.status === 401) more['www-authenticate'] = 'Bearer'
    this.send(problem.status, encodeProblem(codec, problem), more)
  }

  /** Sends an answer, unless another one has begun. */
  send(status: number, body: Uint8Array | undefined, headers: OutgoingHttpHeaders): void {
    if (this.over) return
    this.#head(status, body === undefined ? headers : { ...headers, 'content-length': body.length })
    this.response.end(this.request.method === 'HEAD' ? undefined : body)
    this.#leave()
  }

  /** Begins an answer whose body follows bit by bit. */
  open(headers: OutgoingHttpHeaders): void {
    // nginx would keep the bits back until there are many.
    this.#head(200, { ...headers, 'x-accel-buffering': 'no' })
    this.response.flushHeaders()
  }

  /** Ends such an answer. */
  end(last?: string): void {
    this.response.end(last)
    this.#leave()
  }

  /** Gives up a peer that does not take its answer. */
  cutOff(): void {
    this.response.destroy()
  }

  #head(status: number, headers: OutgoingHttpHeaders): void {
    this.response.writeHead(status, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...this.#options.headers,
      ...headers,
      ...(this.#options.closing() ? { connection: 'close' } : {}),
    })
  }

  /**
   * A peer that does not take its answer must not keep it in memory for ever, and one that goes on sending what nobody
   * reads any more is cut off, but not before it had time to see the answer.
   */
  #leave(): void {
    const { request, response } = this
    const { clock, slowReaderMs } = this.#options
    if (!response.writableFinished) {
      const onSlow = () => this.cutOff()
      const timer = whenStill(response, { clock, slowReaderMs, onSlow })
      response.once('finish', timer.stop).once('close', timer.stop)
    }
    if (!hasBody(request) || request.complete) return
    const timer = clock.after(lingerMs, () => void request.socket.destroy())
    request.once('end', timer.stop).once('close', timer.stop)
    request.resume()
  }
}

/** Time for the rest of a request that was answered before its end, in milliseconds. */
const lingerMs = 500

/** Of a problem that cannot be written as it is. */
const maxDetailLength = 4_096

function encodeProblem(codec: BodyCodec, problem: ReturnType<typeof toProblem>): Uint8Array {
  try {
    return codec.encode(problem)
  } catch {
    const { code, message } = shortErrorData(
      { code: problem.code, message: problem.detail },
      maxDetailLength,
    )
    return codec.encode({ ...problem, title: code, code, detail: message, details: undefined })
  }
}
