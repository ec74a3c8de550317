import { type AnyService, defineService } from '../contract/define-service.ts'
import type { AcceptedWork } from '../rpc/accepted-work.ts'
import { type HealthReport, health } from '../rpc/health.ts'
import { reflectService } from '../rpc/reflect.ts'
import { resultService } from '../rpc/result-service.ts'
import { type ServerStats, stats } from '../rpc/stats.ts'

/** What the services of the framework ask an application. */
export interface SystemSources {
  report(): HealthReport
  stats(): ServerStats
  readonly work: AcceptedWork
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
    resultService(sources.work),
  ]
  return [...own, reflectService([...services, ...own])]
}
