/**
 * The client process: `client.ts <subject> <port> <seconds>` connects, measures and reports figures
 * to the parent.
 */
import { isDeepStrictEqual } from 'node:util'
import { endWithParent, report } from '../child.ts'
import { type Figures, measure } from './measure.ts'
import { createPayload } from './payload.ts'
import type { EchoClient } from './subject.ts'
import { subjectName, subjects } from './subjects.ts'

export interface ClientReport {
  concurrency128: Figures
  concurrency1: Figures
}

/** Part of `seconds` that the measurement at concurrency 1 gets: 3 s of the default 5. */
const concurrency1Share = 0.6
/**
 * Calls before each measurement that do not count: compilation and growth of buffers are over after
 * about a second.
 */
const warmUpSeconds = { at128: 2, at1: 0.5 }

await main()

async function main(): Promise<void> {
  endWithParent()
  const [, , name, port, seconds] = process.argv
  const subject = await subjects[subjectName(name)]()
  const client = await subject.connect(Number(port))
  await checkEcho(client)
  await measure(client, { concurrency: 128, seconds: warmUpSeconds.at128 })
  const concurrency128 = await measure(client, { concurrency: 128, seconds: Number(seconds) })
  await measure(client, { concurrency: 1, seconds: warmUpSeconds.at1 })
  const concurrency1 = await measure(client, {
    concurrency: 1,
    seconds: Number(seconds) * concurrency1Share,
  })
  await report({ concurrency128, concurrency1 } satisfies ClientReport)
  await client.close()
  process.disconnect?.()
}

/** Stricter than the check of every call: nothing may be added to the object either. */
async function checkEcho(client: EchoClient): Promise<void> {
  const payload = createPayload(0)
  const answer = await client.echo(payload)
  if (isDeepStrictEqual({ ...answer }, payload)) return
  throw new Error(`the answer is not what was sent: ${JSON.stringify(answer)}`)
}
