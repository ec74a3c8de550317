import type { IncomingMessage } from 'node:http'
import type { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { type BodyCodec, jsonBody, msgpackBody } from './body-codec.ts'
import { errorIn, failureOf, type HttpRoute, readAnswer, requestFor } from './http-route.ts'
import { mediaType, mediaTypeOf } from './wire.ts'

/** Sends a call with one input and one output. */
export function callUnary(call: Call, route: HttpRoute): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const body = encodeInput(call.input, route)
    const sent = requestFor(call, route, {
      accept: `${mediaType.msgpack}, ${mediaType.problemMsgpack}`,
      'content-length': body.length,
      ...(body.length === 0 ? {} : { 'content-type': mediaType.msgpack }),
    })
    const failure = failureOf(sent, route.address)
    const settle = () => {
      route.flights.delete(flight)
      call.offCancel(flight.fail)
    }
    const flight = {
      fail(reason: CoveyError) {
        settle()
        reject(reason)
        sent.destroy()
      },
    }
    route.flights.add(flight)
    call.onCancel(flight.fail)
    sent.on('error', (error) => flight.fail(failure(error)))
    sent.on('response', (response: IncomingMessage) => {
      route.link.heard()
      readResult(response, call, route).then((value) => {
        settle()
        resolve(value)
      }, flight.fail)
    })
    sent.end(body)
  })
}

const nothing = new Uint8Array(0)

function encodeInput(input: unknown, { link }: HttpRoute): Uint8Array {
  if (input === undefined) return nothing
  const body = msgpackBody.encode(input)
  const maxBytes = link.welcome.maxFrameBytes
  if (body.length <= maxBytes) return body
  const message = `a message of ${body.length} bytes; the limit is ${maxBytes}`
  throw new CoveyError('MESSAGE_TOO_LARGE', message, { details: { bytes: body.length, maxBytes } })
}

/** What an answer says: the result, or the token of it. @throws CoveyError what the server says, `CONNECTION_LOST`, `PROTOCOL_ERROR` */
async function readResult(
  response: IncomingMessage,
  { mode }: Call,
  route: HttpRoute,
): Promise<unknown> {
  const { statusCode = 0 } = response
  if (statusCode < 200 || statusCode > 299) throw await errorIn(response, route)
  const value = await readValue(response, route)
  if (mode === 'wait') return value
  if (mode === 'notify') return undefined
  const token =
    typeof value === 'object' && value !== null ? (value as { token?: unknown }).token : undefined
  if (typeof token === 'string') return token
  const message = `${route.address} answered HTTP ${statusCode} without a token of the accepted call`
  throw new CoveyError('PROTOCOL_ERROR', message)
}

async function readValue(response: IncomingMessage, route: HttpRoute): Promise<unknown> {
  const bytes = await readAnswer(response, route)
  if (bytes.length === 0) return undefined
  const type = mediaTypeOf(response.headers['content-type'])
  const codec: BodyCodec | undefined = [msgpackBody, jsonBody].find((one) => one.mediaType === type)
  if (codec === undefined) {
    throw new CoveyError('PROTOCOL_ERROR', `${route.address} answered in ${type || 'no type'}`)
  }
  try {
    return codec.decode(bytes)
  } catch (cause) {
    throw new CoveyError('PROTOCOL_ERROR', CoveyError.from(cause).message, { cause })
  }
}
