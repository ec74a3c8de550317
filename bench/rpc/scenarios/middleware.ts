import { startChild } from '../../child.ts'
import type { MiddlewareFigures } from '../middleware-cost.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import type { SubjectName } from '../subjects.ts'

/** What five middlewares add to a call, in µs; see `middleware-cost.ts`. */
export interface MiddlewareRow extends MiddlewareFigures {
  subject: SubjectName
}

const limitMs = 120_000

export async function run({ options, subjects, say, attempt }: ScenarioRun) {
  const rows: MiddlewareRow[] = []
  for (const subject of subjects) {
    await attempt(`middleware ${subject}`, async () => {
      const args = [String(options.seconds * options.rounds)]
      const child = startChild(new URL('../middleware-cost.ts', import.meta.url), args)
      try {
        const figures = (await child.message(limitMs)) as MiddlewareFigures
        rows.push({ subject, ...figures })
        const { fiveOnUs, fiveOffUs } = figures
        say(`middleware ${subject} five on ${fiveOnUs} µs a call, five off ${fiveOffUs} µs`)
      } finally {
        await child.stop()
      }
    })
  }
  return rows
}
