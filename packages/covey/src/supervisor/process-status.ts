import type { Clock } from '../base/clock.ts'
import { type ChildState, runOf } from './child-state.ts'
import type { ProcessUsage, UsageMeter } from './process-usage.ts'
import type { SupervisedChild } from './supervised-child.ts'

/** A copy of a process as `covey status`, the API and the console show it. */
export interface ProcessStatus extends ProcessUsage {
  /** `user-0` */
  readonly name: string
  readonly process: string
  readonly replica: number
  readonly state: ChildState['kind']
  readonly pid: number | null
  /** How often it was started again. */
  readonly restarts: number
  /** Milliseconds since its last start; null when it does not run. */
  readonly uptimeMs: number | null
  /** Milliseconds until it is started again; null unless it waits for that. */
  readonly retryMs: number | null
  /** Why it could not start the last time, in one line; null once it could. */
  readonly reason: string | null
}

/** Reads the status of a child. */
export function processStatus(
  copy: Pick<ProcessStatus, 'name' | 'process' | 'replica' | 'reason'>,
  { state, restarts }: Pick<SupervisedChild, 'state' | 'restarts'>,
  usage: UsageMeter,
  clock: Clock,
): ProcessStatus {
  const nowMs = clock.monotonicMs()
  const run = runOf(state)
  const pid = run?.handle.pid ?? null
  return {
    ...copy,
    state: state.kind,
    pid,
    restarts,
    uptimeMs: run === undefined ? null : Math.round(nowMs - run.startedMs),
    retryMs: state.kind === 'backoff' ? Math.max(0, Math.round(state.untilMs - nowMs)) : null,
    ...(pid === null ? { cpuPercent: null, memoryBytes: null } : usage.measure(pid)),
  }
}
