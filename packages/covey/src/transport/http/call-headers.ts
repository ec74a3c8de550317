import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { fromHex } from '../../base/hex.ts'
import type { Call } from '../../call/call.ts'
import { type Metadata, noMetadata } from '../../call/metadata.ts'
import { Trace, traceBytes } from '../../call/trace.ts'
import { readTraceState } from '../../call/trace-state.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Limits } from '../limits.ts'
import { HttpError } from './http-error.ts'
import { headerName } from './wire.ts'

/** What travels with a call in headers. */
export interface CallHeaders {
  /** Milliseconds left; undefined when the request does not say. */
  readonly timeoutMs: number | undefined
  readonly trace: Trace | undefined
  readonly metadata: Metadata
  readonly baggage: Metadata
}

/** Puts what travels with a call into the headers of its request. */
export function writeCallHeaders(call: Call, headers: OutgoingHttpHeaders): void {
  const leftMs = call.serverMs()
  headers[headerName.timeout] =
    leftMs === Number.POSITIVE_INFINITY ? 'none' : Math.max(0, Math.ceil(leftMs))
  if (call.mode !== 'wait') headers[headerName.mode] = call.mode
  headers.traceparent = call.trace.traceparent
  if (call.trace.state !== '') headers.tracestate = call.trace.state
  for (const [name, value] of call.metadata) headers[headerName.metadata + name] = encode(value)
  if (call.baggage.size > 0) {
    const entries = [...call.baggage].map(([name, value]) => `${name}=${encodeMember(value)}`)
    headers.baggage = entries.join(',')
  }
}

/**
 * Reads them.
 * @throws CoveyError `PROTOCOL_ERROR` naming the header that is wrong, `MESSAGE_TOO_LARGE`
 */
export function readCallHeaders(
  headers: IncomingHttpHeaders,
  { maxMetadataBytes, maxBaggageBytes }: Pick<Limits, 'maxMetadataBytes' | 'maxBaggageBytes'>,
): CallHeaders {
  return {
    timeoutMs: readTimeout(headers),
    trace: readTrace(headers),
    metadata: limited(readMetadata(headers), maxMetadataBytes, 'metadata'),
    baggage: limited(readBaggage(headers.baggage), maxBaggageBytes, 'baggage'),
  }
}

/** One that is malformed counts as none, as the specification asks, and then so does `tracestate`. */
function readTrace({ traceparent, tracestate }: IncomingHttpHeaders): Trace | undefined {
  if (typeof traceparent !== 'string') return undefined
  // Versions to come may add something; the first has nothing more.
  const match =
    /^(?:00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})|(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?)$/.exec(
      traceparent,
    )
  if (match === null) return undefined
  const [traceId = '', spanId = '', flags = ''] =
    match[1] === undefined ? match.slice(4) : match.slice(1)
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  const bytes = new Uint8Array(traceBytes)
  bytes.set(fromHex(traceId + spanId + flags)!)
  return new Trace(bytes, typeof tracestate === 'string' ? readTraceState(tracestate) : '')
}

/**
 * Our own header, or in seconds the `wait` of RFC 7240, Prefer Header for HTTP. Beside `respond-async` that is how long the client would
 * wait for a result, and no limit on the work.
 */
function readTimeout(headers: IncomingHttpHeaders): number | undefined {
  const text = headers[headerName.timeout]
  if (text === undefined) {
    if (preference(headers, 'respond-async') !== undefined) return undefined
    const wait = preference(headers, 'wait')
    return wait !== undefined && /^\d{1,7}$/.test(wait) ? Number(wait) * 1_000 : undefined
  }
  if (text === 'none') return Number.POSITIVE_INFINITY
  if (typeof text === 'string' && /^\d{1,10}$/.test(text)) return Number(text)
  throw wrong(headerName.timeout, 'a whole number of milliseconds, or none')
}

/** A preference of the `prefer` header; the empty text for one without a value. */
export function preference(headers: IncomingHttpHeaders, name: string): string | undefined {
  const { prefer } = headers
  const parts = (Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '')).split(/[,;]/)
  for (const part of parts) {
    const [key = '', value = ''] = part.split('=')
    if (key.trim().toLowerCase() === name) return value.trim().replace(/^"(.*)"$/, '$1')
  }
  return undefined
}

function readMetadata(headers: IncomingHttpHeaders): Metadata {
  let metadata: Map<string, string> | undefined
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(headerName.metadata) || typeof value !== 'string') continue
    const name = header.slice(headerName.metadata.length)
    if (!/^[\w.-]+$/.test(name)) throw wrong(header, 'a name of letters, digits, "-", "_", "."')
    metadata ??= new Map()
    const text = decoded(value)
    if (text === undefined) throw wrong(header, 'percent-encoded UTF-8')
    metadata.set(name, text)
  }
  return metadata ?? noMetadata
}

/**
 * `name=value;property, name=value`; properties are left out, and members that are malformed count as none, as in a trace: it is for
 * whoever watches, and no reason not to serve a call. Source: W3C Baggage.
 */
function readBaggage(header: string | string[] | undefined): Metadata {
  if (typeof header !== 'string' || header === '') return noMetadata
  const baggage = new Map<string, string>()
  for (const member of header.split(',')) {
    const [pair = ''] = member.split(';')
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0)).trim().toLowerCase()
    const value = decoded(pair.slice(equals + 1).trim())
    if (/^[\w.-]+$/.test(name) && value !== undefined) baggage.set(name, value)
  }
  return baggage
}

function limited(entries: Metadata, maxBytes: number, what: string): Metadata {
  if (entries.size === 0) return entries
  let bytes = 0
  for (const [name, value] of entries) bytes += name.length + Buffer.byteLength(value) + 3
  if (bytes <= maxBytes) return entries
  throw new CoveyError('MESSAGE_TOO_LARGE', `${what} of ${bytes} bytes; the limit is ${maxBytes}`)
}

/** Headers hold visible ASCII; everything else, and the percent sign, is percent-encoded. */
function encode(value: string): string {
  return value.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]+/g, encodeURIComponent)
}

/** The same where commas and semicolons separate. */
function encodeMember(value: string): string {
  return encode(value).replace(
    /[",;\\]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Percent-encoded UTF-8 as text; undefined if it is none. */
function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

function wrong(header: string, expected: string): CoveyError {
  const error = new CoveyError('PROTOCOL_ERROR', `header ${header}: expected ${expected}`)
  return new HttpError(error, 400)
}
