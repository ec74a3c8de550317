import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { checkDepth } from '../codec/json-codec.ts'
import { refuseDuplicateKeys } from '../transport/http/duplicate-keys.ts'
import { readBody } from '../transport/http/read-body.ts'

/** Time for a body, in milliseconds. */
export const bodyMs = 30_000

/**
 * Reads bodies of routes as fastify does, but for three things: however small the pieces in which a body comes, it takes no more memory than
 * its bytes (fastify keeps some hundred bytes for each piece); JSON in which a key stands twice is refused, for it could mean one thing
 * to whoever checks it and another to whoever acts; and so is JSON that is nested more than 64 deep.
 */
export function addBodyParsers(http: FastifyInstance, clock: Clock): void {
  const parse = http.getDefaultJsonParser('error', 'error')
  const read = ({ routeOptions }: FastifyRequest, payload: IncomingMessage) =>
    readBody(payload, { maxBytes: routeOptions.bodyLimit, maxMs: bodyMs, clock })
  http.addContentTypeParser(
    'text/plain',
    async (request: FastifyRequest, payload: IncomingMessage) => text(await read(request, payload)),
  )
  http.addContentTypeParser('application/json', (request, payload, done) => {
    read(request, payload).then((body) => {
      const json = text(body)
      const deep = refusalOf(() => checkDepth(json))
      if (deep !== undefined) return done(deep)
      parse(request, json, (error, value) => {
        if (error !== null) return done(error)
        const twice = refusalOf(() => refuseDuplicateKeys(body))
        if (twice !== undefined) done(twice)
        else done(null, value)
      })
    }, done)
  })
}

/** What a check throws, as fastify tells it. */
function refusalOf(check: () => void): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return Object.assign(new Error((error as Error).message), { statusCode: 400 })
  }
}

function text(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString()
}
