import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'
import { hasBody } from '../transport/http/has-body.ts'
import { bodyMs } from './body-parsers.ts'

/** Time behind `bodyMs` for what reads a body to say that it took too long, in milliseconds. */
const lastWordsMs = 1_000

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether what answers here limits the bodies of its requests itself: they may be streams, which last. Default false. */
    ownBodies?: boolean
  }
}

/**
 * Closes connections on which a body is not complete in time, whoever reads it, or nobody: also behind an answer. Not by `requestTimeout` of
 * Node, which is for all requests of a server, and would end streams that callers keep open.
 */
export function limitBodies(http: FastifyInstance, clock: Clock): void {
  http.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (hasBody(raw) && routeOptions.config.ownBodies !== true) limitBody(raw, clock)
  })
}

function limitBody(message: IncomingMessage, clock: Clock): void {
  const timer = clock.after(bodyMs + lastWordsMs, () => message.socket.destroy())
  message.once('end', timer.stop).once('close', timer.stop)
}
