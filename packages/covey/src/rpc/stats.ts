import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'
import type { MethodMetrics } from '../observe/call-metrics.ts'

/** What an instance has done since it started. */
export interface ServerStats {
  readonly app: string
  readonly instance: string
  /** Milliseconds since its start. */
  readonly uptimeMs: number
  /** Connections open now. */
  readonly connections: number
  /** The methods that were called, by name. */
  readonly methods: readonly MethodMetrics[]
}

/** Figures of the calls of an instance. Served by every application. */
export const stats = defineContract('covey.stats', {
  read: unary({ output: plain<ServerStats>(), idempotent: true, timeoutMs: 2_000 }),
})
