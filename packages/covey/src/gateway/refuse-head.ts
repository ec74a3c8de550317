import type { IncomingMessage } from 'node:http'
import { hasOneHost, maxHeaders, noVersion } from '../transport/http/request-guard.ts'
import type { Problem } from './problem.ts'

/**
 * Why a request is refused before anybody looks at what it asks for: no version of HTTP, too many headers, no valid host or more than one, or one that
 * is not of this gateway.
 */
export function refuseHead(
  { rawHeaders, headers, httpVersionMajor }: IncomingMessage,
  allowHost: (header: string | undefined) => boolean,
): Problem | undefined {
  if (httpVersionMajor !== 1) return { status: 505, code: 'PROTOCOL_ERROR', detail: noVersion }
  if (rawHeaders.length / 2 > maxHeaders) {
    return { status: 431, code: 'PROTOCOL_ERROR', detail: `more than ${maxHeaders} headers` }
  }
  if (!hasOneHost(rawHeaders, headers)) {
    return { status: 400, code: 'PROTOCOL_ERROR', detail: 'one valid host header is needed' }
  }
  if (allowHost(headers.host)) return undefined
  const detail = `${headers.host} is no name of this gateway; names are given in \`hosts\` or \`origins\``
  return { status: 421, code: 'PERMISSION_DENIED', detail }
}
