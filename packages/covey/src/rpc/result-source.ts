import type { Clock } from '../base/clock.ts'
import type { Call } from '../call/call.ts'
import type { CallOptions } from '../contract/client.ts'
import type { CollectedResult, CollectRequest } from './result-contract.ts'

/** How a client asks for the results of calls that it submitted. */
export interface ResultSource {
  readonly clock: Clock
  /** Whether it cannot choose whom it asks: whoever is there knows where to look for a token. */
  readonly anywhere: boolean
  /** Calls `covey.results.collect`. */
  collect(request: CollectRequest, wishes: CallOptions): Promise<readonly CollectedResult[]>
  /** The call that the running code works for. */
  currentCall(): Call | undefined
}
