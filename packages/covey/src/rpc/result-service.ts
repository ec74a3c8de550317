import type { Call } from '../call/call.ts'
import { type AnyService, defineService } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { AcceptedWork } from './accepted-work.ts'
import { decodeOutcome } from './outcome.ts'
import { type CollectedResult, type CollectRequest, resultContract } from './result-contract.ts'
import { instanceOfToken } from './result-token.ts'
import type { ResultsElsewhere } from './results-elsewhere.ts'

/** Bytes of results after which an answer is full; one result always goes. */
const fullBytes = 512 * 1024

/**
 * Lets the results of calls that were submitted to this instance be collected.
 * @param elsewhere asks other instances for theirs; without it those are told to be lost
 */
export function resultService(work: AcceptedWork, elsewhere?: ResultsElsewhere): AnyService {
  return defineService(resultContract, {
    async collect({ tokens, waitMs }, call) {
      const other = elsewhere && tokens.map((token) => otherInstance(work, token)).find(Boolean)
      if (other !== undefined) return collectAll(work, elsewhere!, other, { tokens, waitMs })
      await work.whenDone(tokens, waitMs, call as unknown as Call)
      return collect(work, tokens)
    },
  })
}

/**
 * With tokens of another instance among them. Those of this one are told at once, and only when there is nothing to tell of them
 * that instance is asked, so that two large results never meet in one answer; for the others: ask again.
 */
async function collectAll(
  work: AcceptedWork,
  elsewhere: ResultsElsewhere,
  other: string,
  { tokens, waitMs }: CollectRequest,
): Promise<CollectedResult[]> {
  const theirs = tokens.filter((token) => otherInstance(work, token) === other)
  const answers = new Map<string, CollectedResult>()
  const own = tokens.filter((token) => otherInstance(work, token) === undefined)
  for (const [index, result] of (await collect(work, own)).entries()) {
    if (result.state !== 'running') answers.set(own[index]!, result)
  }
  if (answers.size === 0) {
    const found = await elsewhere(other, theirs, own.length === 0 ? waitMs : 0)
    for (const [index, result] of found.entries()) answers.set(theirs[index]!, result)
  }
  return tokens.map((token) => answers.get(token) ?? { state: 'running' })
}

/** The instance that gave a token; undefined if it is this one, or what was given is no token. */
function otherInstance(work: AcceptedWork, token: string): string | undefined {
  try {
    const instance = instanceOfToken(token)
    return instance === work.instance ? undefined : instance
  } catch {
    return undefined
  }
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
  work.collected(told)
  return tokens.map((token) => answers.get(token) ?? { state: 'running' })
}

function missing(work: AcceptedWork, token: string): CollectedResult {
  const instance = otherInstance(work, token)
  if (instance === undefined) return { state: 'unknown' }
  const message = `the result waits at instance ${instance}; this is ${work.instance}, in its place`
  return { state: 'failed', error: new CoveyError('RESULT_LOST', message).toData() }
}
