import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RpcDoor } from '../transport/http/rpc-door.ts'

/**
 * Gives the requests below some paths to a door. More exact routes of the same server come first, and hooks of the server run
 * before.
 */
export function mountRpc(http: FastifyInstance, door: RpcDoor, paths: readonly string[]): void {
  http.register(async (scope) => {
    // The door reads bodies itself: some are streams, and it has limits of its own.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _body, done) => done(null))
    const handle = (request: FastifyRequest, reply: FastifyReply) => {
      reply.hijack()
      door.handle(request.raw, reply.raw)
    }
    for (const path of paths) scope.all(path, { config: { ownBodies: true } }, handle)
  })
}
