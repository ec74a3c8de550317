import { setTimeout as sleep } from 'node:timers/promises'
import type { Child } from '../../child.ts'
import type { Figures } from '../load.ts'
import { type Pair, runJob, startClient, startPair } from '../pair.ts'
import { residentBytes } from '../process-watch.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { SubjectName } from '../subjects.ts'

/** Many connections that do nothing, and a load beside them. */
export interface IdleConnectionsRow {
  subject: SubjectName
  connections: number
  /** What one of them adds to the resident memory of the server, behind a garbage collection. */
  serverBytesPerConnection: number
  callsPerSecond: number
  /** The load's latencies without and with them. */
  unloadedP50us: number
  unloadedP99us: number
  loadedP50us: number
  loadedP99us: number
}

const connections = 10_000
/** Client processes that hold them. */
const holders = 4
const callsPerSecond = 1_000
/** At full speed, so that all that is hot is compiled by then: a thousand calls a second take half a minute to get there. */
const warmUpSeconds = 3
const openLimitMs = 180_000
/** For what follows the opening: timers of connecting run out, freed memory goes back. */
const settleMs = 2_000
/** Beside them the others are measured only in a full run. */
const always: readonly SubjectName[] = ['covey', 'bareJson']

export async function run(scenario: ScenarioRun): Promise<IdleConnectionsRow[]> {
  const { options, subjects, say, attempt } = scenario
  const rows: IdleConnectionsRow[] = []
  for (const subject of subjects.filter((name) => options.full || always.includes(name))) {
    await attempt(`idleConnections ${subject}`, async () => {
      const row = await measureOnce(subject, scenario)
      rows.push(row)
      const { loadedP99us, unloadedP99us } = row
      const p99 = `p99 ${unloadedP99us} → ${loadedP99us} µs`
      say(`idleConnections ${subject} ${row.serverBytesPerConnection} bytes each, ${p99}`)
    })
  }
  return rows
}

async function measureOnce(
  subject: SubjectName,
  { options }: ScenarioRun,
): Promise<IdleConnectionsRow> {
  await using pair = await startPair(subject, { pin: options.pin, nodeArgs: ['--expose-gc'] })
  const seconds = options.seconds * 6
  const load = { do: 'openLoop', perSecond: callsPerSecond } as const
  await pair.run({ do: 'unary', payload: '100B', concurrency: 128, seconds: warmUpSeconds })
  const unloaded = await pair.run<Figures>({ ...load, seconds })
  const before = await settledBytes(pair)
  const held: Child[] = []
  try {
    for (let n = 0; n < holders; n++) held.push(await hold(subject, pair.port))
    const after = await settledBytes(pair)
    const loaded = await pair.run<Figures>({ ...load, seconds })
    return {
      subject,
      connections,
      serverBytesPerConnection: Math.round((after - before) / connections),
      callsPerSecond: loaded.callsPerSecond,
      unloadedP50us: unloaded.p50us,
      unloadedP99us: unloaded.p99us,
      loadedP50us: loaded.p50us,
      loadedP99us: loaded.p99us,
    }
  } finally {
    await Promise.all(held.map((child) => child.stop()))
  }
}

async function hold(subject: SubjectName, port: number): Promise<Child> {
  const child = await startClient(subject, port, 1)
  try {
    // Its own first connection is one of them.
    await runJob(child, { do: 'hold', connections: connections / holders - 1 }, openLimitMs)
    return child
  } catch (error) {
    await child.stop()
    throw error
  }
}

async function settledBytes({ server }: Pair): Promise<number> {
  await sleep(settleMs)
  await server.request({ do: 'gc' }, openLimitMs)
  await sleep(settleMs / 4)
  return residentBytes(server.pid)
}
