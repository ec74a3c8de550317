import { lookup } from 'node:dns/promises'
import type { IncomingMessage } from 'node:http'
import type { Server as SecureServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { limitHeads } from '../transport/http/limit-heads.ts'
import { refuseConnection } from '../transport/http/refuse-connection.ts'
import type { Limits } from '../transport/limits.ts'
import { listenError } from '../transport/session/listen-error.ts'
import { limitAccept } from '../transport/tcp/limit-accept.ts'
import { guardHandshakes } from '../transport/tls/secure-server.ts'
import { allowHost } from './allow-host.ts'
import { createHttpServer } from './create-http-server.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { openGatewayTls } from './gateway-tls.ts'
import { refuseHead } from './refuse-head.ts'
import { requireGuards } from './require-guards.ts'

/** The HTTP server of a gateway, with what guards it. */
export interface GatewayFront {
  readonly http: FastifyInstance
  /** Whether the head of a request is in order and means this gateway; looked at before by all routes, but not by upgrades. */
  takes(request: IncomingMessage): boolean
  /** @returns the URL. @throws CoveyError `ADDRESS_IN_USE`, and everything is closed then */
  listen(): Promise<string>
  /** Lets requests that are being answered end, and cuts off those that have not when `limit` aborts. */
  close(limit: AbortSignal): Promise<void>
}

/** @throws CoveyError `INVALID_SETTINGS` */
export async function openFront(options: GatewayOptions, limits: Limits): Promise<GatewayFront> {
  requireGuards(options)
  const { context, port, host = '127.0.0.1', hosts, origins = [] } = options
  const { log, runtime } = context
  const { clock } = runtime
  const isOwn = allowHost({ host, hosts, origins, proxied: options.tls === 'proxy' })
  const tls = await openGatewayTls(options.tls, { clock, log })
  const { credentials } = tls
  const http = await createHttpServer(options, { credentials, limits, allowHost: isOwn }).catch(
    async (error: unknown) => {
      await tls.close()
      throw error
    },
  )
  const server = http.server as unknown as SecureServer
  const gate = credentials && guardHandshakes(server, credentials, { limits, clock, log })
  if (gate !== undefined) server.on('secureConnection', (socket) => void gate.leave(socket))
  const close = async (limit: AbortSignal) => {
    gate?.close()
    await endAll(http, limit)
    await tls.close()
  }
  return {
    http,
    takes: (request) => refuseHead(request, isOwn) === undefined,
    async listen() {
      try {
        // By its address: for the name `localhost` fastify opens a second server, which nothing here would guard.
        const { address } = await lookup(host)
        const url = await http.listen({ host: address, port })
        limitHeads(http.server, { limits, clock, log })
        limitAccept(http.server, {
          limits,
          clock,
          log,
          proxied: options.tls === 'proxy',
          ...(gate === undefined && { refuse: refuseConnection(clock) }),
        })
        return url
      } catch (cause) {
        await close(AbortSignal.abort())
        throw listenError(`http://${host}:${port}`, cause as Error)
      }
    },
    close,
  }
}

async function endAll(http: FastifyInstance, limit: AbortSignal): Promise<void> {
  const cutOff = async () => {
    // What has been answered just now may still leave.
    await new Promise<void>((resolve) => setImmediate(resolve))
    http.server.closeAllConnections()
  }
  limit.addEventListener('abort', cutOff)
  const closed = http.close()
  if (limit.aborted) await cutOff()
  await closed
  limit.removeEventListener('abort', cutOff)
}
