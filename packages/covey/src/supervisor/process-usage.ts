import { readFileSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

/** What a process uses. Null where the system does not tell it cheaply. */
export interface ProcessUsage {
  /** Share of one processor since the measurement before, in percent; null at the first one. */
  readonly cpuPercent: number | null
  /** Resident memory in bytes. */
  readonly memoryBytes: number | null
}

interface Sample {
  readonly atMs: number
  readonly cpuMs: number
  readonly usage: ProcessUsage
}

/** The kernel counts processor time for /proc in ticks of 10 ms on all platforms of Node (USER_HZ, proc(5)). */
const tickMs = 10
/** Nearer to the last measurement than this, its result is given again. */
const minPeriodMs = 500

/** Measures processes by /proc; on systems without it every figure is null. */
export class UsageMeter {
  readonly #clock: Clock
  readonly #samples = new Map<number, Sample>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  measure(pid: number): ProcessUsage {
    const atMs = this.#clock.monotonicMs()
    const before = this.#samples.get(pid)
    if (before !== undefined && atMs - before.atMs < minPeriodMs) return before.usage
    const cpuMs = readCpuMs(pid)
    if (cpuMs === null) return { cpuPercent: null, memoryBytes: null }
    const spentMs = before === undefined ? null : cpuMs - before.cpuMs
    const cpuPercent =
      before === undefined || spentMs === null || spentMs < 0
        ? null
        : Math.round((spentMs / (atMs - before.atMs)) * 1_000) / 10
    const usage = { cpuPercent, memoryBytes: readMemoryBytes(pid) }
    this.#samples.set(pid, { atMs, cpuMs, usage })
    return usage
  }

  /** Forgets a process that has ended. */
  forget(pid: number): void {
    this.#samples.delete(pid)
  }
}

function readCpuMs(pid: number): number | null {
  const stat = readProc(`/proc/${pid}/stat`)
  if (stat === null) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

function readMemoryBytes(pid: number): number | null {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1_024
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
