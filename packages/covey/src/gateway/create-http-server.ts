import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { CoveyError } from '../error/covey-error.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { problemOf, sendProblem } from './problem.ts'

/** Headers of every answer. The page loads nothing from other hosts and can be framed by nobody. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/**
 * The HTTP half of a gateway: the page, the user's routes, errors as problem+json. Does not listen yet.
 *
 * @throws CoveyError `INVALID_SETTINGS` if there is no page in `assets`
 */
export async function createHttpServer(options: GatewayOptions): Promise<FastifyInstance> {
  const answerError = (error: unknown, url: string, reply: FastifyReply) =>
    sendProblem(reply, problemOf(error, { log: options.context.log, url }))
  const http = fastify({
    logger: false,
    // A URL that is none comes to no route and no hook.
    frameworkErrors: (error, { url }, reply) =>
      void answerError(error, url, reply.headers(securityHeaders)),
    bodyLimit: 64 * 1024,
    requestTimeout: 30_000,
    keepAliveTimeout: 30_000,
    maxRequestsPerSocket: 1_000,
    forceCloseConnections: 'idle',
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
  })
  http.addHook('onRequest', async (_request, reply) => void reply.headers(securityHeaders))
  http.setErrorHandler((error, { url }, reply) => void answerError(error, url, reply))
  await options.routes?.(http)
  if (options.assets !== undefined) await servePage(http, resolve(options.assets))
  http.setNotFoundHandler((request, reply) => {
    const wantsPage =
      request.method === 'GET' && (request.headers.accept ?? '').includes('text/html')
    if (options.assets !== undefined && wantsPage) return sendPage(reply)
    const detail = `${request.method} ${request.url.split('?')[0]} does not exist`
    return sendProblem(reply, { status: 404, code: 'NOT_FOUND', detail })
  })
  return http
}

async function servePage(http: FastifyInstance, root: string): Promise<void> {
  await access(join(root, 'index.html')).catch((cause) => {
    const message = `assets: there is no index.html in ${root}; build the page or set another folder`
    throw new CoveyError('INVALID_SETTINGS', message, { cause })
  })
  await http.register(fastifyStatic, {
    root,
    cacheControl: false,
    setHeaders(reply, path) {
      // Built files have a hash in their names; the page that names them must be asked for each time.
      const forEver = path.startsWith(join(root, 'assets'))
      reply.header('cache-control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
}

function sendPage(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-cache').sendFile('index.html')
}
