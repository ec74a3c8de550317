import type { Limits } from '../transport/limits.ts'
import { AcceptedWork, type AcceptedWorkOptions } from './accepted-work.ts'
import { MemoryResultStore, type ResultLimits, resultHeadBytes } from './memory-result-store.ts'

/** What {@link createAcceptedWork} is given. */
export interface CreateAcceptedWorkOptions extends Omit<AcceptedWorkOptions, 'store'> {
  /** Bounds of the connections: a result has to fit into a frame. */
  readonly limits: Limits
  readonly results?: Partial<ResultLimits>
}

/** Makes what runs calls that nobody waits for, and keeps their results in memory. */
export function createAcceptedWork(options: CreateAcceptedWorkOptions): AcceptedWork {
  const { limits, results, clock } = options
  const maxBytesEach = limits.maxFrameBytes - resultHeadBytes
  return new AcceptedWork({
    ...options,
    store: new MemoryResultStore(clock, { maxBytesEach, ...results }),
  })
}
