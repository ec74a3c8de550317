import type { Middleware } from '../call/handler.ts'
import { type AnyService, defineService } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { type HealthReport, health } from '../rpc/health.ts'
import { reflect, reflectService } from '../rpc/reflect.ts'
import { resultContract } from '../rpc/result-contract.ts'
import { resultService } from '../rpc/result-service.ts'
import type { ResultsElsewhere } from '../rpc/results-elsewhere.ts'
import { type ServerStats, stats } from '../rpc/stats.ts'

/** What the services of the framework ask an application. */
export interface SystemSources {
  report(): HealthReport
  stats(): ServerStats
  readonly work: AcceptedWork
  /** Asks other instances for results that wait there. */
  readonly elsewhere: ResultsElsewhere
}

/**
 * The services that every application carries beside its own: `covey.health`, `covey.stats`, `covey.results`,
 * `covey.reflect`.
 */
export function systemServices(
  services: readonly AnyService[],
  sources: SystemSources,
): AnyService[] {
  const own: AnyService[] = [
    defineService(health, { check: () => sources.report() }),
    defineService(stats, { read: () => sources.stats() }),
    resultService(sources.work, sources.elsewhere),
  ]
  return [...own, reflectService([...services, ...own])]
}

const ownNames: ReadonlySet<string> = new Set([
  health.name,
  stats.name,
  resultContract.name,
  reflect.name,
])

/** Whether a service is one of the framework's own. */
export function isSystemService(service: string): boolean {
  return ownNames.has(service)
}

/** Whose calls a middleware of an application sees. */
export interface MiddlewareChoice {
  /** Of the application's own services. */
  readonly middleware?: readonly Middleware[] | undefined
  /** Of the framework's services. */
  readonly systemMiddleware?: readonly Middleware[] | undefined
  /** Whether callers over HTTP can prove who they are. */
  readonly httpAuthenticated: boolean
}

/**
 * What wraps the calls of a service. The application's own middleware is about its own services: one that authenticates must not break
 * what tools and the framework itself ask, and one that writes a log must not be filled with it.
 */
export function middlewareFor(service: string, choice: MiddlewareChoice): readonly Middleware[] {
  const { middleware = [], systemMiddleware = [], httpAuthenticated } = choice
  switch (service) {
    // Never behind anything: who cannot ask it takes the instance for dead.
    case health.name:
      return []
    // Who has a token of 144 random bits was given it.
    case resultContract.name:
      return systemMiddleware
    // Names, types and figures, but no data; for all who may connect.
    case stats.name:
    case reflect.name:
      return httpAuthenticated ? [noGuests, ...systemMiddleware] : systemMiddleware
    default:
      return middleware
  }
}

/** A port that lets in guests beside those who prove who they are does not tell guests what is behind it. */
const noGuests: Middleware = (next) => (call) => {
  const { protocol, identity } = call.peer
  if (identity !== undefined || !protocol.startsWith('http')) return next(call)
  const message = `${call.method.path} over HTTP is only for callers who prove who they are`
  return Promise.reject(new CoveyError('UNAUTHENTICATED', message))
}
