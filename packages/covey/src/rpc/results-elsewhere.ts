import { sleep } from '../base/sleep.ts'
import { currentCall } from '../call/call-storage.ts'
import { compose } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import { CoveyError } from '../error/covey-error.ts'
import { clientStack } from './client-stack.ts'
import { contractClient } from './contract-client.ts'
import { goneAfterMs, isUnknownInstance, lostWith } from './gone-instance.ts'
import { type CollectedResult, resultContract } from './result-contract.ts'
import type { Runtime } from './runtime.ts'

/** Asks another instance what became of calls that were submitted there; the answers are in the order of the tokens. */
export type ResultsElsewhere = (
  instance: string,
  tokens: readonly string[],
  waitMs: number,
) => Promise<readonly CollectedResult[]>

/** What it needs. */
export interface ResultsElsewhereOptions {
  readonly runtime: Runtime
  /** Services of this instance: whoever serves one of them as well may be asked. */
  readonly services: readonly string[]
  /** Aborts when this instance stops; nobody waits here for others then. */
  readonly stopping: AbortSignal
}

/** Time for the way there and back, in milliseconds. */
const answerMs = 5_000
/** Pause before an instance that is not listed is looked for again, in milliseconds. */
const lookAgainMs = 100

const running: CollectedResult = Object.freeze({ state: 'running' })

/**
 * Finds results by their tokens for callers who cannot choose whom they ask, such as HTTP clients behind a balancer. One that is
 * there but cannot be asked now is "running": ask again; one that nobody has known for a second is gone.
 */
export function resultsElsewhere(options: ResultsElsewhereOptions): ResultsElsewhere {
  const { runtime, services, stopping } = options
  const { clock } = runtime
  const clients = services.map((service) => clientBy(service, runtime))
  return async (instance, tokens, waitMs) => {
    const wishes = { instance, timeoutMs: waitMs + answerMs, signal: stopping }
    const untilMs = clock.monotonicMs() + goneAfterMs
    for (;;) {
      let reason: CoveyError | undefined
      for (const client of clients) {
        try {
          return await client.collect({ tokens, waitMs }, wishes)
        } catch (thrown) {
          reason = CoveyError.from(thrown)
          if (!isUnknownInstance(reason, instance)) return tokens.map(() => running)
        }
      }
      if (clock.monotonicMs() >= untilMs) {
        const error = lostWith(instance, reason).toData()
        return tokens.map(() => ({ state: 'failed', error }))
      }
      await sleep(lookAgainMs, stopping, clock).catch(() => {})
      if (stopping.aborted) return tokens.map(() => running)
    }
  }
}

/** A client for the results that instances of a service keep. */
function clientBy(service: string, runtime: Runtime): Client<typeof resultContract> {
  const stack = clientStack({ wheel: runtime.wheel, middleware: [] })
  return contractClient(resultContract, {
    clock: runtime.clock,
    currentCall,
    invoke: compose(stack, (call) => runtime.channel(service, call.routing).send(call)),
  })
}
