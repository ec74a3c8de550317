import { z } from 'zod'
import type { AppOptions } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import type { Runtime } from '../rpc/runtime.ts'

/** Tells callers who they are. */
export const who = defineContract('who', { am: unary({ output: z.string(), idempotent: true }) })

/** An application with that service, and what else its settings are to say; for tests of who is let in. */
export function whoApp(runtime: Runtime, covey: object = {}, more: Partial<AppOptions> = {}) {
  return createApp({
    ...more,
    name: 'who',
    services: [defineService(who, { am: (_, call) => call.peer.identity?.subject ?? 'nobody' })],
    runtime,
    ownsProcess: false,
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, ...covey } },
  })
}
