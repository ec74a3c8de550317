import type { Call } from '../call/call.ts'
import { type AnyService, defineService } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { AcceptedWork } from './accepted-work.ts'
import { decodeOutcome } from './outcome.ts'
import { type CollectedResult, resultContract } from './result-contract.ts'
import { instanceOfToken } from './result-token.ts'

/** Bytes of results after which an answer is full; one result always goes. */
const fullBytes = 512 * 1024

/** Lets the results of calls that were submitted to this instance be collected. */
export function resultService(work: AcceptedWork): AnyService {
  return defineService(resultContract, {
    async collect({ tokens, waitMs }, call) {
      await work.whenDone(tokens, waitMs, call as unknown as Call)
      return collect(work, tokens)
    },
  })
}

async function collect(work: AcceptedWork, tokens: readonly string[]): Promise<CollectedResult[]> {
  // Asked first: what ends meanwhile counts as running, never as unknown.
  const ended = new Set(tokens.filter((token) => !work.isRunning(token)))
  const outcomes = await work.store.find([...ended])
  const answers = new Map<string, CollectedResult>()
  const told: string[] = []
  let bytes = 0
  for (const [index, token] of [...ended].entries()) {
    const outcome = outcomes[index]
    if (outcome === undefined) answers.set(token, missing(work, token))
    else if (bytes === 0 || bytes + outcome.length <= fullBytes) {
      bytes += outcome.length
      told.push(token)
      answers.set(token, decodeOutcome(outcome))
    }
  }
  work.store.collected(told)
  return tokens.map((token) => answers.get(token) ?? { state: 'running' })
}

function missing(work: AcceptedWork, token: string): CollectedResult {
  try {
    const instance = instanceOfToken(token)
    if (instance === work.instance) return { state: 'unknown' }
    const message = `the result waits at instance ${instance}; this is ${work.instance}, in its place`
    return { state: 'failed', error: new CoveyError('RESULT_LOST', message).toData() }
  } catch {
    return { state: 'unknown' }
  }
}
