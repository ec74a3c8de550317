import type { IncomingMessage } from 'node:http'
import { CoveyError } from '../../error/covey-error.ts'
import { HttpError } from './http-error.ts'

/** Most headers of a request. Node drops those beyond its own limit in silence, so it has to be above this one. */
export const maxHeaders = 100

/** Whether pages of an origin may call. */
export type AllowOrigin = (origin: string | undefined, request: IncomingMessage) => boolean

/**
 * Looks at what every request must have: not too many headers, one host, and if it comes from a page, an origin that may
 * call. Browsers tell the origin with every POST, so a page elsewhere cannot call, whatever body it sends.
 */
export function refuse(request: IncomingMessage, allowOrigin: AllowOrigin): HttpError | undefined {
  const { rawHeaders, headers } = request
  if (rawHeaders.length / 2 > maxHeaders) {
    return wrong(431, `more than ${maxHeaders} headers`)
  }
  if (!hasOneHost(rawHeaders)) return wrong(400, 'one valid host header is needed')
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const elsewhere = origin === undefined && (site === 'cross-site' || site === 'same-site')
  if (elsewhere || (origin !== undefined && !allowOrigin(origin, request))) {
    const message = `pages of ${origin ?? 'other sites'} may not call here`
    return new HttpError(new CoveyError('PERMISSION_DENIED', message), 403)
  }
  return undefined
}

function wrong(status: number, message: string): HttpError {
  return new HttpError(new CoveyError('PROTOCOL_ERROR', message), status)
}

/** Whether the headers name one host, as a host can be. */
export function hasOneHost(rawHeaders: readonly string[]): boolean {
  let host: string | undefined
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== 'host') continue
    if (host !== undefined) return false
    host = rawHeaders[at + 1]
  }
  return host !== undefined && /^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(host)
}
