import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
} from 'node:http'
import type { Call } from '../../call/call.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { ConnectOptions } from '../transport.ts'
import { type BodyCodec, jsonBody, msgpackBody } from './body-codec.ts'
import { writeCallHeaders } from './call-headers.ts'
import type { ClientLink } from './client-link.ts'
import type { Flights } from './flights.ts'
import type { HttpAgents } from './http-agents.ts'
import { fromProblem, readRetryAfter } from './problem.ts'
import { readBody } from './read-body.ts'
import { headerName, mediaTypeOf, rpcPath } from './wire.ts'

/** Where requests of a connection go. */
export interface HttpRoute {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly address: string
  readonly link: ClientLink
  readonly agents: HttpAgents
  readonly options: ConnectOptions
  /** Calls without a result yet. */
  readonly flights: Flights
}

/** Headers that show who calls. */
export function credentialHeaders({ credential }: ConnectOptions): { authorization?: string } {
  return credential === undefined ? {} : { authorization: `Bearer ${credential}` }
}

/** Begins the request of a call; its body is the caller's to write. */
export function requestFor(
  call: Call,
  { protocol, host, port, agents, link, options }: HttpRoute,
  headers: OutgoingHttpHeaders,
): ClientRequest {
  const all: OutgoingHttpHeaders = {
    ...headers,
    ...credentialHeaders(options),
    // Another instance may come to listen at the same port; it must not take this one's calls.
    [headerName.instance]: link.welcome.instance,
  }
  writeCallHeaders(call, all)
  const { service, name, kind } = call.method
  return request({
    protocol: `${protocol}:`,
    host,
    port,
    agent: kind === 'unary' ? agents.calls : agents.streams,
    method: 'POST',
    path: `${rpcPath}/${service}/${name}`,
    headers: all,
  })
}

/** Tells what the failure of a request means for its call. */
export function failureOf(sent: ClientRequest, address: string): (error: Error) => CoveyError {
  let connected = false
  sent.once('socket', (socket) => {
    if (!socket.connecting) connected = true
    // Nothing leaves before the handshake of TLS is done.
    else
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
        connected = true
      })
  })
  return (cause) => {
    // A request that had no connection was not run; of any other nobody knows.
    const code = connected ? 'CONNECTION_LOST' : 'UNAVAILABLE'
    return new CoveyError(code, `${address}: ${cause.message}`, { cause })
  }
}

/** Reads the whole body of an answer. @throws CoveyError `CONNECTION_LOST`, `MESSAGE_TOO_LARGE` */
export async function readAnswer(
  response: IncomingMessage,
  { address, options }: Pick<HttpRoute, 'address' | 'options'>,
): Promise<Uint8Array> {
  const { limits, clock } = options
  const bounds = { maxBytes: limits.maxFrameBytes, maxMs: limits.partialFrameMs, clock }
  try {
    return await readBody(response, bounds)
  } catch (error) {
    const { code, message } = CoveyError.from(error)
    if (code === 'MESSAGE_TOO_LARGE') throw error
    throw new CoveyError('CONNECTION_LOST', `${address}: ${message}`)
  }
}

/** The error in an answer that is no result. */
export async function errorIn(
  response: IncomingMessage,
  route: Pick<HttpRoute, 'address' | 'options'>,
): Promise<CoveyError> {
  const type = mediaTypeOf(response.headers['content-type'])
  const codec = [jsonBody, msgpackBody].find(({ problemType }) => problemType === type)
  const bytes = await readAnswer(response, route)
  const { statusCode = 0, headers } = response
  const afterMs = readRetryAfter(headers['retry-after'], route.options.clock.wallMs())
  return fromProblem(statusCode, codec && decoded(codec, bytes), route.address, afterMs)
}

/** What a body says; nothing if it is damaged, for the status stands all the same. */
function decoded(codec: BodyCodec, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes)
  } catch {
    return undefined
  }
}
