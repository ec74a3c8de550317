import { type Child, startChild } from '../../child.ts'
import type { OverloadFigures, OverloadJob } from '../overload-client.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { ServerReport } from '../server.ts'
import type { SubjectName } from '../subjects.ts'

/** A server that is asked for much more than it can do, by calls of 2 ms of the processor that are worth 500 ms. */
export interface OverloadRow {
  subject: SubjectName
  /** Whether the server refuses what it cannot do in time. */
  admission: boolean
  /** How many times more calls come than it can answer. */
  times: number
  /** Answers a second to as many callers as it can take, and those in time under the surge. */
  peakPerSecond: number
  goodPerSecond: number
  /** The second in percent of the first. */
  goodPercent: number
  /** Calls that were refused a second, and all that were answered too late or not at all. */
  refusedPerSecond: number
  late: number
  /** Of answers in time, in milliseconds. */
  p50ms: number
  p99ms: number
  /** What the server did not do of what it can, in time, for each call that it refused, in µs; null where it refused none. */
  refuseUs: number | null
  /** Of calls at 80 % of what it can do that came in the second second after the surge, those that were answered in time, in percent. */
  recoveredPercent: number
}

const timeoutMs = 500
const startLimitMs = 30_000
const jobLimitMs = 120_000

export async function run({ options, subjects, say, attempt }: ScenarioRun) {
  const rows: OverloadRow[] = []
  const seconds = Math.max(4, options.seconds * 2)
  for (const subject of subjects) {
    for (const admission of [true, false]) {
      for (const times of [10, 40]) {
        const what = `overload ${subject} ${times} × ${admission ? 'with' : 'without'} admission`
        await attempt(what, async () => {
          const row = await measureOnce({ subject, admission, times }, seconds, options.pin)
          rows.push(row)
          say(`${what}: ${row.goodPercent} % of ${row.peakPerSecond} calls/s`)
        })
      }
    }
  }
  return rows
}

async function measureOnce(
  wanted: Pick<OverloadRow, 'subject' | 'admission' | 'times'>,
  seconds: number,
  pin: boolean,
): Promise<OverloadRow> {
  const core = (number: number) => (pin ? { core: number } : {})
  const args = [String(wanted.admission)]
  const server = startChild(new URL('../overload-server.ts', import.meta.url), args, core(0))
  let client: Child | undefined
  try {
    const { port } = (await server.message(startLimitMs)) as ServerReport
    const script = new URL('../overload-client.ts', import.meta.url)
    client = startChild(script, [String(port)], core(1))
    await client.message(startLimitMs)
    return { ...wanted, ...(await measure(client, wanted.times, seconds)) }
  } finally {
    await client?.stop()
    await server.stop()
  }
}

async function measure(client: Child, times: number, seconds: number) {
  const ask = async (job: OverloadJob) => (await client.request(job, jobLimitMs)) as OverloadFigures
  // The first one warms up.
  await ask({ do: 'peak', seconds: 1 })
  const peak = (await ask({ do: 'peak', seconds: 3 })).goodPerSecond
  const surge = await ask({ do: 'surge', perSecond: times * peak, seconds, timeoutMs })
  const after = await ask({ do: 'surge', perSecond: 0.8 * peak, seconds: 2, timeoutMs })
  const lost = 1 - surge.goodPerSecond / peak
  return {
    peakPerSecond: Math.round(peak),
    goodPerSecond: Math.round(surge.goodPerSecond),
    goodPercent: percent(surge.goodPerSecond / peak),
    refusedPerSecond: Math.round(surge.refusedPerSecond),
    late: surge.late,
    p50ms: Math.round(surge.p50ms),
    p99ms: Math.round(surge.p99ms),
    refuseUs: surge.refused === 0 ? null : rounded((lost * 1_000_000) / surge.refusedPerSecond),
    recoveredPercent: percent(after.goodShare),
  }
}

function percent(share: number): number {
  return rounded(share * 100)
}

function rounded(value: number): number {
  return Number(value.toFixed(1))
}
