import { z } from 'zod'
import type { App, AppLabels } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../rpc/runtime.ts'
import type { Limits } from '../transport/limits.ts'

/** What the servers of a {@link LocalFleet} answer: who they are, or nothing. */
export const whoami = defineContract('whoami', {
  name: unary({ output: z.string(), idempotent: true }),
  hang: unary({ timeoutMs: 60_000 }),
})

/**
 * Servers of one service in the process of a test, each with a runtime and a port of its own, and a runtime for clients.
 * They meet in one registry.
 * @example
 * await using fleet = new LocalFleet()
 * await fleet.start('a', { group: 'canary' })
 * const api = createClient(whoami, { runtime: fleet.runtime })
 */
export class LocalFleet implements AsyncDisposable {
  readonly registry = new MemoryRegistry()
  /** For clients. */
  readonly runtime: Runtime
  readonly #limits: Partial<Limits>
  readonly #open: AsyncDisposable[] = []

  /** @param options for clients; its limits are those of the servers too */
  constructor(options: RuntimeOptions = {}) {
    this.#limits = options.limits ?? {}
    this.runtime = createRuntime({ registry: this.registry, ...options })
  }

  /** Starts a server that answers with `name`. */
  async start(name: string, labels: AppLabels = {}, port = 0): Promise<App> {
    const runtime = createRuntime({ registry: this.registry, limits: this.#limits })
    const app = createApp({
      name,
      ...labels,
      services: [
        defineService(whoami, { name: () => name, hang: () => new Promise<void>(() => {}) }),
      ],
      runtime,
      ownsProcess: false,
      overrides: { covey: { port, logLevel: 'silent', drainWaitMs: 0 } },
    })
    this.#open.push(app, runtime)
    await app.start()
    return app
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.close()
    for (const opened of this.#open) await opened[Symbol.asyncDispose]()
    await this.registry.close()
  }
}
