import { startPair } from '../pair.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { SubjectName } from '../subjects.ts'

/** From the start of a process to its first work done, in milliseconds; medians. */
export interface StartupRow {
  subject: SubjectName
  /** Server process: until it takes calls. */
  serverMs: number
  /** Client process: until its first call was answered. */
  clientMs: number
  /** Both, one after the other. */
  totalMs: number
}

/** Node itself takes most of it, which `bareJson` shows. */
export async function run({ options, subjects, say, attempt }: ScenarioRun): Promise<StartupRow[]> {
  const rows: StartupRow[] = []
  for (const subject of subjects) {
    await attempt(`startup ${subject}`, async () => {
      const serverMs: number[] = []
      const clientMs: number[] = []
      for (let n = 0; n < options.rounds; n++) {
        await using pair = await startPair(subject, { pin: options.pin })
        serverMs.push(pair.serverMs)
        clientMs.push(pair.clientMs)
      }
      const row = { subject, serverMs: median(serverMs), clientMs: median(clientMs) }
      rows.push({ ...row, totalMs: row.serverMs + row.clientMs })
      say(`startup ${subject} server ${row.serverMs} ms, client ${row.clientMs} ms`)
    })
  }
  return rows
}

function median(values: number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!)
}
