import { closestName } from '../../base/closest-name.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Exchange } from './exchange.ts'
import { HttpError } from './http-error.ts'
import { headerName, mediaType } from './wire.ts'

const knownHeaders = Object.values(headerName).filter((name) => name !== headerName.metadata)

/** Longer names are no slip of the pen, and comparing takes time. */
export const maxNameLength = 60

/**
 * Refuses headers `covey-…` and parts of the query that nobody reads: somebody mistyped them, and would wait for an answer that he did
 * not ask for. Clients of the framework, which speak MessagePack, are let be: newer ones may know more.
 * @param query names that stand for something here
 * @throws CoveyError `PROTOCOL_ERROR` with the name that was probably meant
 */
export function requireKnown(exchange: Exchange, query: readonly string[]): void {
  const { contentType, request } = exchange
  if (contentType === mediaType.msgpack || contentType === mediaType.frames) return
  for (const name of exchange.query.keys()) {
    if (!query.includes(name)) throw unknown('query parameter', name, query)
  }
  for (const name in request.headers) {
    if (!name.startsWith('covey-') || name.startsWith(headerName.metadata)) continue
    if (!(knownHeaders as string[]).includes(name)) throw unknown('header', name, knownHeaders)
  }
}

/** Which name was probably meant, as the end of a message. */
export function hintFor(name: string, known: readonly string[]): string {
  const close = name.length > maxNameLength ? undefined : closestName(name, known)
  return close === undefined ? '' : `; did you mean ${close}?`
}

function unknown(what: string, name: string, known: readonly string[]): HttpError {
  const message = `no ${what} ${name.slice(0, maxNameLength)} here${hintFor(name, known)}`
  return new HttpError(new CoveyError('PROTOCOL_ERROR', message), 400)
}
