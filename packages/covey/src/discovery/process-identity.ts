import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process as others on the same machine can tell it from any other one, also after its end. */
export interface ProcessIdentity {
  /** Which numbering of processes `pid` belongs to: this boot of this machine or container. */
  readonly machine: string
  readonly pid: number
  /** When it began, in ticks since the boot, so that a later process with the same pid is another; 0 where unknown. */
  readonly started: string
}

/** The process that runs this code. */
export function currentProcess(): ProcessIdentity {
  return {
    machine: machineId(),
    pid: process.pid,
    started: processState(process.pid)?.started ?? '0',
  }
}

/**
 * Whether a process has ended for certain. False when that cannot be known from here: it may belong to another machine,
 * or be paused.
 */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.machine !== own.machine) return false
  if (!pidExists(other.pid)) return true
  const state = processState(other.pid)
  if (state === undefined || other.started === '0') return false
  return state.ended || state.started !== other.started
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** What Linux says of a process; undefined elsewhere. Format: proc(5), /proc/pid/stat. */
function processState(pid: number): { started: string; ended: boolean } | undefined {
  const stat = readText(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // The second field is the name in parentheses; it may hold spaces and parentheses itself.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const started = rest[18]
  if (started === undefined) return undefined
  // A zombie has ended and only waits for its parent to ask how.
  return { started, ended: state === 'Z' || state === 'X' }
}

function machineId(): string {
  const boot = readText(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'))
  const namespace = readText(() => readlinkSync('/proc/self/ns/pid'))
  const text = [hostname(), boot.trim(), namespace].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function readText(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
