import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'
import { amount, count, listOf, objectOf, recordOf, text } from '../contract/plain-types.ts'
import type { AdmissionReport } from '../middleware/admission.ts'
import type { MethodMetrics } from '../observe/call-metrics.ts'
import type { CalleeFigures } from './callee-figures.ts'

/** What an instance has done since it started. */
export interface ServerStats {
  readonly app: string
  readonly instance: string
  /** Milliseconds since its start. */
  readonly uptimeMs: number
  /** Connections open now. */
  readonly connections: number
  /**
   * Answers to calls that this process had given up, or that came twice, over all connections that it has opened; they were
   * dropped. Many of them: callers have less patience than servers need.
   */
  readonly lateAnswers: number
  /** Calls that had to wait to be begun, or were refused because there were too many; absent where that is not looked after. */
  readonly admission?: AdmissionReport
  /** What this process calls itself: connections, calls in flight and waiting. */
  readonly callees: readonly CalleeFigures[]
  /** The methods that were called, by name. */
  readonly methods: readonly MethodMetrics[]
}

const methodMetrics = objectOf({
  method: text,
  running: count,
  calls: count,
  errors: recordOf(count),
  meanMs: amount,
  p50Ms: amount,
  p99Ms: amount,
  maxMs: amount,
})

const admission = objectOf({ waiting: count, waited: count, refused: count, maxWaitedMs: count })

const callee = objectOf({
  service: text,
  waiting: count,
  instances: listOf(objectOf({ id: text, state: text, pending: count, latencyMs: amount })),
})

const serverStats = objectOf({
  app: text,
  instance: text,
  uptimeMs: amount,
  connections: count,
  lateAnswers: count,
  'admission?': admission,
  callees: listOf(callee),
  methods: listOf(methodMetrics),
})

/** Figures of the calls of an instance. Served by every application. */
export const stats = defineContract('covey.stats', {
  read: unary({ output: plain<ServerStats>(serverStats), idempotent: true, timeoutMs: 2_000 }),
})
