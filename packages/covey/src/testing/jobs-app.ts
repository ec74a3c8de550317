import type { App } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { defineService } from '../contract/define-service.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'
import { jobs } from './fixtures/jobs-contract.ts'

/** An application that serves `jobs`, and what it has done. */
export async function serveJobs(runtime: Runtime, settings: object = {}) {
  const seen = { begun: 0, done: 0, aborted: 0 }
  const gate = Promise.withResolvers<void>()
  const service = defineService(jobs, {
    echo: (input) => input,
    async gated(_, call) {
      seen.begun += 1
      call.onCancel(() => {
        seen.aborted += 1
      })
      await gate.promise
      seen.done += 1
      return id()
    },
  })
  const id = (): string => app.instance.id
  const covey = { logLevel: 'silent', drainWaitMs: 0, ...settings }
  const app: App = createApp({
    name: 'jobs',
    services: [service],
    runtime,
    overrides: { covey },
    ownsProcess: false,
  })
  await app.start()
  return { app, seen, open: () => gate.resolve() }
}

/** Somebody in another process, as far as one process can show it. */
export function outside(registry: MemoryRegistry = new MemoryRegistry()): Runtime {
  return createRuntime({ registry })
}
