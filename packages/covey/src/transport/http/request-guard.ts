import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { CoveyError } from '../../error/covey-error.ts'
import { HttpError } from './http-error.ts'

/** Most headers of a request. Node drops those beyond its own limit in silence, so it has to be above this one. */
export const maxHeaders = 100

/** Node takes a first line without a version for one of HTTP/0.9, and headers behind it all the same. */
export const noVersion = 'HTTP/1.1 is spoken here'

/** Whether pages of an origin may call. */
export type AllowOrigin = (origin: string | undefined, request: IncomingMessage) => boolean

/**
 * Looks at what every request must have: not too many headers, one host, and if it comes from a page, an origin that may
 * call. Browsers tell the origin with every POST, so a page elsewhere cannot call, whatever body it sends.
 */
export function refuse(request: IncomingMessage, allowOrigin: AllowOrigin): HttpError | undefined {
  const { rawHeaders, headers } = request
  if (request.httpVersionMajor !== 1) return wrong(505, noVersion)
  if (rawHeaders.length / 2 > maxHeaders) {
    return wrong(431, `more than ${maxHeaders} headers`)
  }
  if (!hasOneHost(rawHeaders, headers)) return wrong(400, 'one valid host header is needed')
  const twice = once.find((name) => countOf(rawHeaders, name) > 1)
  if (twice !== undefined) return wrong(400, `header ${twice} stands twice`)
  const pages = pagesOf(headers)
  if (pages.length === 0 || pages.some((page) => allowOrigin(page, request))) return undefined
  const message = `pages of ${headers.origin ?? 'this or other sites'} may not call here`
  return new HttpError(new CoveyError('PERMISSION_DENIED', message), 403)
}

/** Headers of which Node keeps the first and drops the rest in silence, where a proxy before it may have looked at the last. */
const once = ['authorization', 'content-type'] as const

/**
 * What the origin of the page that asks may be; nothing where no page does. Browsers leave the origin out of plain reads, but tell
 * by `sec-fetch-site` that a page asks, and whether it is of the same origin.
 */
function pagesOf({ origin, host, ...headers }: IncomingHttpHeaders): readonly string[] {
  if (origin !== undefined) return [origin]
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'none') return []
  return site === 'same-origin' ? [`http://${host}`, `https://${host}`] : ['null']
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() === name) count += 1
  }
  return count
}

function wrong(status: number, message: string): HttpError {
  return new HttpError(new CoveyError('PROTOCOL_ERROR', message), status)
}

/** Whether the headers name one host, as a host can be. */
export function hasOneHost(
  rawHeaders: readonly string[],
  { host }: Pick<IncomingHttpHeaders, 'host'>,
): boolean {
  if (host === undefined || countOf(rawHeaders, 'host') > 1) return false
  return /^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(host)
}
