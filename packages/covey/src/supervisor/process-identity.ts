import { execFileSync } from 'node:child_process'
import { bootId, processStat } from '../base/process-stat.ts'

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, as this machine tells it; only for comparing. */
  readonly startTime: string
}

/** The identity of a running process, or undefined when there is none with this number. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTime = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

/** Whether this very process still runs. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  return identifyProcess(pid)?.startTime === startTime
}

/** Whether a value read from a file has the form of an identity. */
export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTime } = (value ?? {}) as { pid?: unknown; startTime?: unknown }
  return Number.isInteger(pid) && Number(pid) > 1 && typeof startTime === 'string'
}

/** A process that has ended and waits for its parent counts as gone. */
function linuxStartTime(pid: number): string | undefined {
  const stat = processStat(pid)
  return stat === undefined || stat.ended ? undefined : `${bootId()}:${stat.started}`
}

function psStartTime(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2_000,
    })
    return text.trim() || undefined
  } catch {
    return undefined
  }
}
