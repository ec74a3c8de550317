import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { refuseDuplicateKeys } from '../transport/http/duplicate-keys.ts'
import { readBody } from '../transport/http/read-body.ts'

/** Time for a body, in milliseconds. */
export const bodyMs = 30_000

/**
 * Reads bodies of routes as fastify does, but for two things: however small the pieces in which a body comes, it takes no more memory than
 * its bytes (fastify keeps some hundred bytes for each piece); and JSON in which a key stands twice is refused, for it could mean one thing
 * to whoever checks it and another to whoever acts.
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
      parse(request, text(body), (error, value) => {
        if (error !== null) return done(error)
        try {
          refuseDuplicateKeys(body)
        } catch (duplicate) {
          return done(Object.assign(new Error((duplicate as Error).message), { statusCode: 400 }))
        }
        done(null, value)
      })
    }, done)
  })
}

function text(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString()
}
