import { startPair } from '../pair.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { StreamFigures } from '../stream-loop.ts'
import type { SubjectName } from '../subjects.ts'

/** Messages of 100 bytes that server streams brought. */
export interface ServerStreamRow extends StreamFigures {
  subject: SubjectName
  /** Streams that were open at once, on one connection where the subject can. */
  streams: number
}

const warmUpSeconds = 0.7

/** One stream and 16 at a time. */
export async function run({
  options,
  subjects,
  say,
  attempt,
}: ScenarioRun): Promise<ServerStreamRow[]> {
  const rows: ServerStreamRow[] = []
  for (const subject of subjects) {
    await attempt(`serverStream ${subject}`, async () => {
      await using pair = await startPair(subject, { pin: options.pin })
      for (const streams of [1, 16]) {
        await pair.run({ do: 'streams', streams, seconds: warmUpSeconds })
        const job = { do: 'streams', streams, seconds: options.seconds } as const
        const figures = await pair.run<StreamFigures>(job)
        rows.push({ subject, streams, ...figures })
        say(`serverStream ${subject} ×${streams} ${figures.messagesPerSecond} messages/s`)
      }
    })
  }
  return rows
}
