import { access } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join, resolve } from 'node:path'
import fastifyStatic from '@fastify/static'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { CoveyError } from '../error/covey-error.ts'
import { answerClientErrors } from '../transport/http/answer-client-errors.ts'
import { guardSockets } from '../transport/http/guard-sockets.ts'
import { limitRequests } from '../transport/http/limit-requests.ts'
import { maxHeaders } from '../transport/http/request-guard.ts'
import type { Limits } from '../transport/limits.ts'
import { secureServerOptions } from '../transport/tls/secure-server.ts'
import type { TlsCredentials } from '../transport/tls/tls-credentials.ts'
import { addBodyParsers } from './body-parsers.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { limitBodies } from './limit-bodies.ts'
import { problemOf, sendProblem } from './problem.ts'
import { refuseHead } from './refuse-head.ts'

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

/** Added where browsers come by TLS: they never come without it again. Source: RFC 6797, for a year. */
const onlyByTls = { 'strict-transport-security': 'max-age=31536000' }

/** Headers of every answer of this gateway. */
export function headersOf({ tls }: Pick<GatewayOptions, 'tls'>): Readonly<Record<string, string>> {
  return tls === undefined ? securityHeaders : { ...securityHeaders, ...onlyByTls }
}

/** What the HTTP half of a gateway needs beside its options. */
export interface HttpServerParts {
  /** Those of a gateway that speaks TLS itself. */
  readonly credentials: TlsCredentials | undefined
  readonly limits: Limits
  /** Whether a request was meant for this gateway, by its `host` header. */
  readonly allowHost: (header: string | undefined) => boolean
}

/**
 * Of `node:http`, whose own settings are looser: it looks after late headers every 30 seconds only. Bodies have their time from whoever reads
 * them, for those of streams last as long as the stream.
 */
const nodeOptions = {
  headersTimeout: 10_000,
  requestTimeout: 0,
  maxHeaderSize: 16 * 1024,
  connectionsCheckingInterval: 1_000,
  // A wish for any other protocol, as Java's client has for HTTP/2, is no reason not to answer in this one.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) =>
    headers.upgrade?.toLowerCase() === 'websocket',
}

/**
 * The HTTP half of a gateway: the page, the user's routes, errors as problem+json. Does not listen yet.
 *
 * @throws CoveyError `INVALID_SETTINGS` if there is no page in `assets`
 */
export async function createHttpServer(
  options: GatewayOptions,
  { credentials, limits, allowHost }: HttpServerParts,
): Promise<FastifyInstance> {
  const answerError = (error: unknown, url: string, reply: FastifyReply) =>
    sendProblem(reply, problemOf(error, { log: options.context.log, url }))
  const headers = headersOf(options)
  const secured = credentials && {
    ...nodeOptions,
    ...secureServerOptions(credentials, limits, 'http/1.1'),
    requestCert: false,
  }
  const http = fastify({
    logger: false,
    // A URL that is none comes to no route and no hook.
    frameworkErrors: (error, { url }, reply) =>
      void answerError(error, url, reply.headers(headers)),
    bodyLimit: 64 * 1024,
    keepAliveTimeout: 30_000,
    forceCloseConnections: 'idle',
    // They have their answer below.
    clientErrorHandler: () => {},
    ...(secured === undefined ? { http: nodeOptions } : { https: secured }),
  }) as FastifyInstance
  http.server.maxHeadersCount = maxHeaders + 1
  limitRequests(http.server)
  answerClientErrors(http.server, { clock: options.context.runtime.clock, headers })
  guardSockets(http.server, limits)
  http.addHook('onRequest', async ({ raw }, reply) => {
    reply.headers(headers)
    const refusal = refuseHead(raw, allowHost)
    if (refusal !== undefined) return sendProblem(reply, refusal)
  })
  limitBodies(http, options.context.runtime.clock)
  addBodyParsers(http, options.context.runtime.clock)
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
