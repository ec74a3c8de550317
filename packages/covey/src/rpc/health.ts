import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { plain } from '../contract/plain.ts'
import { amount, count, objectOf, oneOf, text } from '../contract/plain-types.ts'

/** What an application says of itself. */
export interface HealthReport {
  /** `starting` until everything runs, `draining` from the moment it was told to stop. */
  readonly state: 'starting' | 'ready' | 'draining'
  /** Name of the application. */
  readonly app: string
  /** Id of the instance. */
  readonly instance: string
  readonly pid: number
  /** Milliseconds since its start. */
  readonly uptimeMs: number
}

const healthReport = objectOf({
  state: oneOf('starting', 'ready', 'draining'),
  app: text,
  instance: text,
  pid: count,
  uptimeMs: amount,
})

/** Served by every application, on its port and on the control socket of its supervisor. */
export const health = defineContract('covey.health', {
  check: unary({ output: plain<HealthReport>(healthReport), idempotent: true, timeoutMs: 1_000 }),
})
