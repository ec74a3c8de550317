import { startPair } from '../pair.ts'
import { residentBytes, watchPeaks } from '../process-watch.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { BulkFigures } from '../stream-loop.ts'
import type { SubjectName } from '../subjects.ts'

/** One stream of bytes in chunks of 64 KiB, read to its end: the median round. */
export interface BulkRow extends BulkFigures {
  subject: SubjectName
  bestMegabytesPerSecond: number
  worstMegabytesPerSecond: number
  /** Resident memory at its highest during the stream above what it was before, of all rounds the most. */
  serverAboveIdleBytes: number
  clientAboveIdleBytes: number
}

type Round = BulkFigures & Pick<BulkRow, 'serverAboveIdleBytes' | 'clientAboveIdleBytes'>

const gibibyte = 1024 ** 3
const warmUpBytes = 64 * 1024 ** 2
const limitMs = 120_000
/** Beside them the others are measured only in a full run. */
const always: readonly SubjectName[] = ['covey', 'netPipe']

export async function run({ options, subjects, say, attempt }: ScenarioRun): Promise<BulkRow[]> {
  const names = subjects.filter((name) => options.full || always.includes(name))
  const found = new Map<SubjectName, Round[]>()
  for (let round = 1; round <= options.rounds; round++) {
    for (const subject of names) {
      const label = `round ${round} bulk ${subject}`
      const figures = await attempt(label, () => measureOnce(subject, options.pin))
      if (!figures) continue
      found.set(subject, [...(found.get(subject) ?? []), figures])
      const above = figures.serverAboveIdleBytes + figures.clientAboveIdleBytes
      say(`${label} ${figures.megabytesPerSecond} MB/s, ${megabytes(above)} MB above idle`)
    }
  }
  return [...found].map(([subject, rounds]) => toRow(subject, rounds))
}

/** Idle is right after the first call, before the warm-up: what the processes hold when nothing was streamed yet. */
async function measureOnce(subject: SubjectName, pin: boolean): Promise<Round> {
  await using pair = await startPair(subject, { pin })
  const pids = [pair.server.pid, pair.client.pid]
  const idle = pids.map(residentBytes)
  const watch = watchPeaks(pids)
  await pair.run({ do: 'bytes', total: warmUpBytes }, limitMs)
  const figures = await pair.run<BulkFigures>({ do: 'bytes', total: gibibyte }, limitMs)
  const [server, client] = watch.stop().map((peak, index) => peak - idle[index]!)
  return { ...figures, serverAboveIdleBytes: server!, clientAboveIdleBytes: client! }
}

function toRow(subject: SubjectName, rounds: Round[]): BulkRow {
  const sorted = rounds.toSorted((a, b) => a.megabytesPerSecond - b.megabytesPerSecond)
  const most = (key: 'serverAboveIdleBytes' | 'clientAboveIdleBytes') =>
    Math.max(...rounds.map((round) => round[key]))
  return {
    subject,
    ...sorted[Math.floor((sorted.length - 1) / 2)]!,
    bestMegabytesPerSecond: sorted.at(-1)!.megabytesPerSecond,
    worstMegabytesPerSecond: sorted[0]!.megabytesPerSecond,
    serverAboveIdleBytes: most('serverAboveIdleBytes'),
    clientAboveIdleBytes: most('clientAboveIdleBytes'),
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}
