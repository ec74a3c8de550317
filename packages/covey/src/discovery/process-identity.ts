import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { bootId, processStat } from '../base/process-stat.ts'

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
    started: processStat(process.pid)?.started ?? '0',
  }
}

/**
 * Whether a process has ended for certain. False when that cannot be known from here: it may belong to another machine,
 * or be paused.
 */
export function hasEnded(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.machine !== own.machine) return false
  if (!pidExists(other.pid)) return true
  const state = processStat(other.pid)
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

function machineId(): string {
  const text = [hostname(), bootId(), pidNamespace()].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}
