import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

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

/**
 * Clock ticks since boot (field 22 of /proc/<pid>/stat, proc(5)) and the id of the boot. A process that
 * has ended and waits for its parent (state Z) counts as gone.
 */
function linuxStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    /** The name, field 2, stands in brackets and may itself hold brackets and spaces. */
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot}:${fields[19]}`
  } catch {
    return undefined
  }
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
