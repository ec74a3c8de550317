import { readFileSync } from 'node:fs'

/** What Linux says of a process. */
export interface ProcessStat {
  /** When it began, in clock ticks since the boot: tells it from a later process with the same number. */
  readonly started: string
  /** It has ended, and waits for its parent to ask how. */
  readonly ended: boolean
}

/**
 * Reads `/proc/<pid>/stat`; undefined where there is no such process, and on systems other than Linux.
 * Format: proc(5), fields 3 and 22.
 */
export function processStat(pid: number): ProcessStat | undefined {
  const text = readText(`/proc/${pid}/stat`)
  // The second field is the name in parentheses; it may hold spaces and parentheses itself.
  const [state, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const started = rest[18]
  return started === undefined ? undefined : { started, ended: state === 'Z' || state === 'X' }
}

/** The id of this boot of the machine; empty where it is not known. */
export function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id').trim()
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
