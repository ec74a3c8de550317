import fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Log } from '../../observe/log.ts'
import type { LogHub } from '../log/log-hub.ts'
import { describePortOwner } from '../port-owner.ts'
import type { ProcessStatus } from '../process-status.ts'
import { createGuard } from './guard.ts'
import { addLogRoutes } from './log-routes.ts'
import { LoginLimiter } from './login-limiter.ts'
import { addLoginRoutes } from './login-routes.ts'
import { addPageRoutes } from './page-routes.ts'
import { sendProblem, toProblem } from './problem.ts'
import { Sessions } from './sessions.ts'

/** What the API shows and does. */
export interface AdminOptions {
  readonly port: number
  readonly token: string
  readonly fleet: string
  readonly hub: LogHub
  readonly log: Log
  readonly clock: Clock
  readonly processes: () => ProcessStatus[]
  /** Most milliseconds that a stop takes. */
  readonly stopLimitMs: () => number
  /** Begins to stop the fleet. */
  readonly stop: () => void
}

/** The console's server. */
export interface AdminServer {
  /** Closes it, and at once every connection. */
  close(): Promise<void>
}

const host = '127.0.0.1'
const bodyLimitBytes = 16 * 1_024

/** Where the console of a port is. */
export function adminUrl(port: number): string {
  return `http://${host}:${port}`
}

/**
 * Serves the HTTP API and the status page of a fleet on 127.0.0.1.
 * @throws CoveyError `ADDRESS_IN_USE` naming who has the port, `START_FAILED` for other reasons
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const app = createAdmin(options)
  await addPageRoutes(app)
  try {
    await app.listen({ host, port: options.port })
  } catch (error) {
    await app.close()
    throw listenError(options.port, error as NodeJS.ErrnoException)
  }
  app.server.maxConnections = 256
  return { close: () => app.close() }
}

function createAdmin(options: AdminOptions): FastifyInstance {
  const { clock, fleet, hub, log, port, processes, stop, stopLimitMs, token } = options
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: 30_000,
    keepAliveTimeout: 30_000,
    maxRequestsPerSocket: 1_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    http: { headersTimeout: 10_000, maxHeaderSize: 16 * 1_024 },
  })
  const sessions = new Sessions(clock)
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', createGuard({ token, port, sessions }))
  app.setErrorHandler<FastifyError | CoveyError>((error, _, reply) =>
    sendProblem(reply, toProblem(error, log)),
  )
  app.setNotFoundHandler((_, reply) =>
    sendProblem(reply, { status: 404, title: 'NOT_FOUND', detail: 'there is nothing here' }),
  )
  app.get('/api/processes', async () => ({ fleet, processes: processes() }))
  app.post('/api/stop', async (_, reply) => {
    log.info({}, 'the fleet is stopped through the API')
    stop()
    return reply.code(202).send({ limitMs: stopLimitMs() })
  })
  addLoginRoutes(app, { token, port, sessions, limiter: new LoginLimiter(clock), log })
  addLogRoutes(app, { hub, clock, names: () => logNames(processes()) })
  return app
}

function logNames(processes: readonly ProcessStatus[]): string[] {
  const names = processes.flatMap(({ process, name }) => [process, name])
  return [...new Set([...names, 'covey'])]
}

function listenError(port: number, error: NodeJS.ErrnoException): CoveyError {
  const fix = 'set admin.port in covey.config.ts to another port'
  if (error.code === 'EADDRINUSE') {
    const owner = describePortOwner(port) ?? 'another process'
    const message = `the console's port ${port} on ${host} is used by ${owner}; end that, or ${fix}`
    return new CoveyError('ADDRESS_IN_USE', message)
  }
  const message = `the console cannot listen on port ${port} of ${host} (${error.message}); ${fix}`
  return new CoveyError('START_FAILED', message, { cause: error })
}
