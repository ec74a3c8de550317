import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Time on the processor of another process during some time, in milliseconds. For Linux. */
export async function cpuMs(pid: number, duringMs: number): Promise<number> {
  const before = ticks(pid)
  await wait(duringMs)
  return (ticks(pid) - before) * 10
}

/** Fields 14 and 15 of stat, in hundredths of a second; the name in field 2 is in parentheses. */
function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}
