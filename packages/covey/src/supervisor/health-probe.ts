import { existsSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import { createClient } from '../rpc/create-client.ts'
import { type HealthReport, health } from '../rpc/health.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'

/** Asks one process how it is. */
export interface HealthProbe {
  /** What it says of itself, or undefined when it does not answer within `timeoutMs`. Never rejects. */
  check(timeoutMs: number): Promise<HealthReport | undefined>
  /** Forgets the connection; for a process that has ended. The next check opens a new one. */
  reset(): void
}

/**
 * Asks through the `covey.health` contract on a control socket. The connection is kept while it works. After a failure
 * a new one is opened at the next check, at once: the pauses that clients make between tries would only delay the news.
 */
export function createHealthProbe(socketPath: string, clock: Clock): HealthProbe {
  let runtime: Runtime | undefined
  function reset(): void {
    const old = runtime
    runtime = undefined
    void old?.close()
  }
  async function check(timeoutMs: number): Promise<HealthReport | undefined> {
    if (runtime === undefined && !existsSync(socketPath)) return undefined
    runtime ??= createRuntime({ registry: 'memory:', clock })
    const used = runtime
    try {
      const api = createClient(health, { target: `unix:${socketPath}`, runtime: used })
      return await api.check(undefined, { timeoutMs })
    } catch {
      if (runtime === used) reset()
      return undefined
    }
  }
  return { check, reset }
}
