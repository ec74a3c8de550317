import type { FastifyInstance } from 'fastify'
import type { Middleware } from '../call/handler.ts'
import type { AnyService } from '../contract/define-service.ts'
import type { Admission } from '../middleware/admission.ts'
import type { CallMetrics } from '../observe/call-metrics.ts'
import type { Log } from '../observe/log.ts'
import type { Runtime } from '../rpc/runtime.ts'
import type { Limits } from '../transport/limits.ts'
import type { TlsCredentials } from '../transport/tls/tls-credentials.ts'
import type { Authenticate } from '../transport/transport.ts'
import type { GatewayTls } from './gateway-tls.ts'

/** How programs call a gateway with plain requests. */
export interface GatewayHttpOptions {
  /**
   * Turns the bearer token of each request into an identity. Default: `authenticate` of the gateway, which has to take a credential
   * more than once then.
   */
  readonly authenticate?: Authenticate
  /** Whether clients of Dora-RPC may call as well. Default false. */
  readonly dora?: boolean
}

/** What a gateway takes of the context of its application. */
export interface GatewayContext {
  readonly instance: string
  readonly runtime: Runtime
  readonly log: Log
  /** Counts its calls with those of the application. */
  readonly metrics?: CallMetrics
  /** Decides when its calls are begun. */
  readonly admission?: Admission | undefined
}

/** Settings of a gateway. */
export interface GatewayOptions {
  /** What gives a resource its place: the context of the application. */
  readonly context: GatewayContext
  /** Address to listen on. Default 127.0.0.1. One that other machines reach needs `tls` and `authenticate`. */
  readonly host?: string
  readonly port: number
  /**
   * Who speaks TLS: the gateway itself, with a certificate that is followed (TLS 1.3); or a `proxy` before it, which nobody can go around
   * and which looks at the `host` of requests. Default: nobody.
   */
  readonly tls?: GatewayTls | TlsCredentials | 'proxy'
  /** Listens where other machines may connect, without TLS or `authenticate`. Default false. */
  readonly allowInsecure?: boolean
  /**
   * Names under which it is reached, beside `host` and those of `origins`; requests for any other are refused. Default: all names where
   * others reach it or a proxy stands before it; on a loopback address those of this machine alone.
   */
  readonly hosts?: readonly string[]
  /** The services that pages may call, over a WebSocket at `/rpc`. */
  readonly services: readonly AnyService[]
  /** Takes calls of the same services as requests below `/rpc`, too, from programs in any language. Default: it does not. */
  readonly http?: GatewayHttpOptions
  /** Turns the credential of a new connection into an identity. Without it everybody may call. */
  readonly authenticate?: Authenticate
  /** Origins whose pages may connect, beside the gateway's own: `https://chat.example`. */
  readonly origins?: readonly string[]
  /** Directory of a built page, served at `/`; unknown paths give its `index.html`, which must be there. */
  readonly assets?: string
  /** Adds routes of plain HTTP. */
  readonly routes?: (http: FastifyInstance) => void | Promise<void>
  readonly middleware?: readonly Middleware[]
  /** Bounds on what browsers send. */
  readonly limits?: Partial<Limits>
  /** Time for calls of browsers, and requests to routes, to end when it stops, in milliseconds. Default 10,000. */
  readonly drainMs?: number
}
