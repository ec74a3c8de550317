import type { IncomingMessage } from 'node:http'
import type { Server as SecureServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
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
  close(): Promise<void>
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
  const close = async () => {
    gate?.close()
    await http.close()
    await tls.close()
  }
  return {
    http,
    takes: (request) => refuseHead(request, isOwn) === undefined,
    async listen() {
      try {
        const url = await http.listen({ host, port })
        limitAccept(http.server, { limits, clock, log })
        return url
      } catch (cause) {
        await close()
        throw listenError(`http://${host}:${port}`, cause as Error)
      }
    },
    close,
  }
}
