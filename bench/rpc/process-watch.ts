import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Follows something about processes by looking at it at intervals; `stop` gives what was seen. */
export interface Watch<T> {
  stop(): T
}

const everyMs = 20

/** Resident memory of a process in bytes: `/proc` where there is one, otherwise `ps`. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes) * 1024
  } catch {
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
    return Number(stdout) * 1024
  }
}

/** The most resident memory that each process had at one time, in bytes. */
export function watchPeaks(
  pids: readonly number[],
): Watch<number[]> & { readonly peaks: readonly number[] } {
  const peaks = pids.map(residentBytes)
  const timer = setInterval(() => {
    pids.forEach((pid, index) => {
      peaks[index] = Math.max(peaks[index]!, residentBytes(pid))
    })
  }, everyMs)
  return {
    peaks,
    stop() {
      clearInterval(timer)
      return peaks
    },
  }
}

/**
 * The share of the time (0–1) that two processes were on the same core; undefined where `/proc` does not tell. It is
 * what makes rounds differ most: on one core the two take turns, on two they overlap.
 */
export function watchSharedCore(first: number, second: number): Watch<number | undefined> {
  let seen = 0
  let shared = 0
  const timer = setInterval(() => {
    const cores = [coreOf(first), coreOf(second)]
    if (cores.includes(undefined)) return
    seen++
    if (cores[0] === cores[1]) shared++
  }, everyMs)
  return {
    stop() {
      clearInterval(timer)
      return seen === 0 ? undefined : shared / seen
    },
  }
}

/** Field 39 of `/proc/<pid>/stat`, counted behind the name, which may hold blanks. */
function coreOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[36])
  } catch {
    return undefined
  }
}
