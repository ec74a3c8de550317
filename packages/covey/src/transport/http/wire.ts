import { withoutUser } from '../../base/without-user.ts'
/** Names of content types. */
export const mediaType = {
  json: 'application/json',
  msgpack: 'application/msgpack',
  /** One JSON value a line. */
  lines: 'application/x-ndjson',
  /** Server-sent events. */
  events: 'text/event-stream',
  /** Frames of `docs/protocol.md`, with flow control in both directions. */
  frames: 'application/vnd.covey.frames',
  /** Errors. Source: RFC 9457, Problem Details for HTTP APIs. */
  problem: 'application/problem+json',
  /** The same in MessagePack, so that the details of an error keep their types. */
  problemMsgpack: 'application/problem+msgpack',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
} as const

/** Other names under which senders know the same. */
const aliases: Readonly<Record<string, string>> = {
  'application/x-msgpack': mediaType.msgpack,
  'application/vnd.msgpack': mediaType.msgpack,
  'application/ndjson': mediaType.lines,
  'application/jsonl': mediaType.lines,
  'application/jsonlines': mediaType.lines,
}

/** Headers of our own. */
export const headerName = {
  /** Milliseconds left for the call. */
  timeout: 'covey-timeout-ms',
  /** `notify` or `submit`. */
  mode: 'covey-mode',
  /** The instance that must be there. */
  instance: 'covey-instance',
  /** Bytes of items that the sender of the request takes ahead of its reader. */
  window: 'covey-stream-window',
  /** Followed by the name of an entry of metadata; the value is percent-encoded UTF-8. */
  metadata: 'covey-meta-',
} as const

/** Where calls are, and what is beside them. */
export const rpcPath = '/rpc'

/** A content type without its parameters, by its usual name; empty if there is none. */
export function mediaTypeOf(header: string | undefined): string {
  const end = header?.indexOf(';') ?? -1
  const name = (end < 0 ? (header ?? '') : header!.slice(0, end)).trim().toLowerCase()
  return aliases[name] ?? name
}

/** Whether an `accept` header names this type (not only by `*`), and does not refuse it. */
export function accepts(header: string | undefined, type: string): boolean {
  return weightOf(header, type) > 0
}

/** Whether an `accept` header names `type`, and `other` with no more weight. */
export function prefers(header: string | undefined, type: string, other: string): boolean {
  const weight = weightOf(header, type)
  return weight > 0 && weight >= weightOf(header, other)
}

/** How much a type is wanted, from 0 to 1; 0 for one that is not named. Source: RFC 9110, HTTP Semantics, 12.4.2. */
function weightOf(header: string | undefined, type: string): number {
  for (const part of header?.split(',') ?? []) {
    if (mediaTypeOf(part) !== type) continue
    const weight = /;\s*q=([\d.]+)/i.exec(part)?.[1]
    return weight === undefined ? 1 : Number(weight) || 0
  }
  return 0
}

/** Where a URL of this transport leads. */
export interface HttpTarget {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly port: number
}

/**
 * Reads `http://127.0.0.1:4180` or `https://[::1]:4180`.
 * @throws TypeError naming what is wrong
 */
export function parseHttpUrl(address: string): HttpTarget {
  const match = /^http(s?):\/\/(?:\[([0-9a-f:.]+)\]|([^:/[\]?#@]+)):(\d{1,5})\/?$/i.exec(address)
  const port = Number(match?.[4])
  if (match === null || port > 65_535) {
    throw new TypeError(
      `address "${withoutUser(address)}": use http://host:port or https://host:port`,
    )
  }
  return { protocol: match[1] === '' ? 'http' : 'https', host: (match[2] ?? match[3])!, port }
}

/** The URL of an HTTP address. */
export function httpUrl(host: string, port: number, protocol: 'http' | 'https' = 'http'): string {
  return host.includes(':') ? `${protocol}://[${host}]:${port}` : `${protocol}://${host}:${port}`
}
