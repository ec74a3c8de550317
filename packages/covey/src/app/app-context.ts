import type { Clock } from '../base/clock.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { Admission } from '../middleware/admission.ts'
import type { CallMetrics } from '../observe/call-metrics.ts'
import type { Log } from '../observe/log.ts'
import type { ClientOptions } from '../rpc/create-client.ts'
import type { Runtime } from '../rpc/runtime.ts'

/** What an application gives to its resources and services. */
export interface AppContext<S = unknown> {
  /** Name of the application. */
  readonly name: string
  /** Id of this instance, new at each start. */
  readonly instance: string
  /** The application's own settings, checked and complete. */
  readonly settings: S
  readonly log: Log
  readonly clock: Clock
  readonly runtime: Runtime
  /** Counts the calls of the application, for doors of its own. */
  readonly metrics: CallMetrics
  /** Decides when calls are begun, unless it is switched off; for doors of its own. */
  readonly admission: Admission | undefined
  /** Functions for a contract of another service. */
  client<C extends Contract>(contract: C, options?: Omit<ClientOptions, 'runtime'>): Client<C>
  /**
   * A resource that was started before.
   * @throws CoveyError `START_FAILED` if it was not: put it further to the front of `resources`
   */
  get<T>(resource: Resource<T>): T
}

/** Something that an application opens at its start and closes at its end. */
export interface Resource<T = unknown> {
  readonly name: string
  /** Opens it. What is thrown here stops the start of the application. */
  start(context: AppContext): T | Promise<T>
  /** Closes it. */
  stop(value: T): void | Promise<void>
}
