import type { Call } from '../../call/call.ts'
import { givesStream, type MethodRef, takesStream } from '../../call/method-ref.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { hasStreams } from '../mode-refusal.ts'
import { leaveStream, OutgoingStream } from '../session/outgoing-stream.ts'
import { jsonBody, msgpackBody } from './body-codec.ts'
import { BodyWriter } from './body-writer.ts'
import type { CallDesk } from './call-desk.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { lineItems } from './incoming-items.ts'
import { type BodyLimits, readBody } from './read-body.ts'
import { requireKnown } from './require-known.ts'
import { modeOf, serveAccepted } from './serve-accepted.ts'
import { serveFrames } from './serve-frames.ts'
import { eventStream, lineStream, type TextStream } from './text-stream.ts'
import { mediaType, prefers } from './wire.ts'

/** A quiet stream of text shows this often that it lives, in milliseconds; below the 60 s of most proxies. */
const pingEveryMs = 15_000

/** Answers `POST /rpc/<service>/<method>`. Rejects with what is to be told to the caller. */
export async function serveMethod(
  desk: CallDesk,
  exchange: Exchange,
  method: MethodRef,
): Promise<void> {
  requireKnown(exchange, ['mode'])
  const headers = desk.headers(exchange)
  const detached = modeOf(exchange) !== 'wait'
  if (detached && method.kind !== 'unary') throw hasStreams(method)
  if (exchange.contentType === mediaType.frames && method.kind !== 'unary') {
    return serveFrames(desk, exchange, method, headers)
  }
  const input = takesStream(method.kind)
    ? readItems(desk, exchange)
    : await readInput(desk, exchange)
  if (detached) return serveAccepted(desk, exchange, method, input, headers)
  const call = desk.begin(exchange, method, input, headers)
  if (givesStream(method.kind)) await answerStream(desk, exchange, call)
  else await answerValue(desk, exchange, call)
}

/** Bounds on the body of a request. */
export function bodyLimits({ limits, options }: CallDesk): BodyLimits {
  return { maxBytes: limits.maxFrameBytes, maxMs: limits.partialFrameMs, clock: options.clock }
}

/** Reads a body that holds one value. @throws CoveyError `INVALID_INPUT`, `MESSAGE_TOO_LARGE`, `PROTOCOL_ERROR` */
export async function readInput(desk: CallDesk, exchange: Exchange): Promise<unknown> {
  const { contentType, request } = exchange
  const known = contentType === mediaType.json || contentType === mediaType.msgpack
  // Nothing may be sent without saying of what type nothing is.
  if (!known && contentType !== '') throw unsupported(exchange, [mediaType.json, mediaType.msgpack])
  requirePlain(exchange)
  const bytes = await readBody(request, bodyLimits(desk))
  if (bytes.length > 0 && !known) throw unsupported(exchange, [mediaType.json, mediaType.msgpack])
  try {
    return (contentType === mediaType.msgpack ? msgpackBody : jsonBody).decode(bytes)
  } catch (error) {
    throw new HttpError(CoveyError.from(error), 400)
  }
}

function readItems(desk: CallDesk, exchange: Exchange): AsyncIterable<unknown> {
  const { contentType, request } = exchange
  if (contentType !== mediaType.lines) throw unsupported(exchange, [mediaType.lines])
  requirePlain(exchange)
  return lineItems(request, bodyLimits(desk))
}

function unsupported({ contentType }: Exchange, types: readonly string[]): HttpError {
  const message = `content-type ${contentType || '(none)'} is not taken here; use ${types.join(' or ')}`
  return new HttpError(new CoveyError('PROTOCOL_ERROR', message), 415, { accept: types.join(', ') })
}

function requirePlain({ request }: Exchange): void {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return
  const message = `content-encoding ${encoding} is not taken; send the body as it is`
  throw new HttpError(new CoveyError('PROTOCOL_ERROR', message), 415, {
    'accept-encoding': 'identity',
  })
}

/** The caller is answered when the call is cancelled, even if the handler goes on. */
async function answerValue(desk: CallDesk, exchange: Exchange, call: Call): Promise<void> {
  call.onCancel((reason) => exchange.problem(reason))
  exchange.value(await desk.dispatcher.serve(call))
}

async function answerStream(desk: CallDesk, exchange: Exchange, call: Call): Promise<void> {
  const { accept } = exchange.request.headers
  const form = prefers(accept, mediaType.events, mediaType.lines) ? eventStream : lineStream
  const refused = (reason: CoveyError) => exchange.problem(reason)
  call.onCancel(refused)
  const source = (await desk.dispatcher.serve(call)) as AsyncIterable<unknown>
  call.offCancel(refused)
  if (exchange.over) return leaveStream(source)
  await writeStream(desk, exchange, call, source, form)
}

async function writeStream(
  desk: CallDesk,
  exchange: Exchange,
  call: Call,
  source: AsyncIterable<unknown>,
  form: TextStream,
): Promise<void> {
  const { response } = exchange
  exchange.open({ 'content-type': form.mediaType })
  let waiting = ''
  const out = new BodyWriter(
    response,
    () => waiting.length,
    () => {
      const text = waiting
      waiting = ''
      return text
    },
    {
      clock: desk.options.clock,
      slowReaderMs: desk.limits.slowReaderMs,
      onSlow: () => exchange.cutOff(),
    },
  )
  const stream = new OutgoingStream(source, Number.POSITIVE_INFINITY, {
    send(item) {
      const text = form.item(item)
      waiting += text
      out.flushSoon()
      return text.length
    },
    room: () => out.room(),
  })
  call.onCancel((reason) => stream.abort(reason))
  const pings = desk.options.clock.every(pingEveryMs, () => {
    if (!response.writableNeedDrain) response.write(form.ping())
  })
  try {
    await stream.run()
    exchange.end(waiting + form.end())
  } catch (error) {
    exchange.end(waiting + form.error(CoveyError.from(error)))
  } finally {
    waiting = ''
    pings.stop()
  }
}
