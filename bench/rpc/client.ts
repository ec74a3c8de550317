/**
 * The client process: `client.ts <subject> <port> <connections>` connects, makes one call, says so,
 * and then does one job after the other for the parent.
 */
import { isDeepStrictEqual } from 'node:util'
import { endWithParent, report } from '../child.ts'
import type { Load } from './load.ts'
import { measure } from './measure.ts'
import { measureOpen, type OpenLoad } from './open-loop.ts'
import { createPayload } from './payload.ts'
import { measureBytes, measureStreams, type StreamLoad } from './stream-loop.ts'
import type { BenchClient } from './subject.ts'
import { subjectName, subjects } from './subjects.ts'

/** What a client process is asked to do; it answers with the figures of the job. */
export type Job =
  | ({ do: 'unary' } & Load)
  | ({ do: 'openLoop' } & OpenLoad)
  | ({ do: 'streams' } & StreamLoad)
  | { do: 'bytes'; total: number }
  /** Opens so many more clients with one connection each, makes a call on each, and keeps them. */
  | { do: 'hold'; connections: number }

/** Connections that are opened at a time: a server's queue of new ones is 511 long in Node. */
const openAtOnce = 50
const openAttempts = 5

const held: BenchClient[] = []

await main()

async function main(): Promise<void> {
  endWithParent()
  const [, , name, portText, connections] = process.argv
  const subject = await subjects[subjectName(name)].load()
  const port = Number(portText)
  const client = await subject.connect(port, Number(connections))
  await checkEcho(client)
  await report({ ready: true })
  process.on('message', async (job: Job) => {
    await report(await run(job))
  })

  async function run(job: Job): Promise<object> {
    if (job.do === 'unary') return measure(client, job)
    if (job.do === 'openLoop') return measureOpen(client, job)
    if (job.do === 'streams') return measureStreams(client, job)
    if (job.do === 'bytes') return measureBytes(client, job.total)
    return hold(() => subject.connect(port, 1), job.connections)
  }
}

/** Stricter than the check of every call: nothing may be added to the object either. */
async function checkEcho(client: BenchClient): Promise<void> {
  if (!client.echo) return
  const payload = createPayload(0)
  const answer = await client.echo(payload)
  if (isDeepStrictEqual({ ...answer }, payload)) return
  throw new Error(`the answer is not what was sent: ${JSON.stringify(answer)}`)
}

async function hold(connect: () => Promise<BenchClient>, connections: number): Promise<object> {
  while (held.length < connections) {
    const some = Math.min(openAtOnce, connections - held.length)
    held.push(...(await Promise.all(Array.from({ length: some }, () => openOne(connect)))))
  }
  return { held: held.length }
}

/** Opening is not what is measured: on a machine with other work a call may run out of time. */
async function openOne(connect: () => Promise<BenchClient>): Promise<BenchClient> {
  for (let attempt = 1; ; attempt++) {
    const client = await connect()
    try {
      await checkEcho(client)
      return client
    } catch (error) {
      await client.close()
      if (attempt === openAttempts) throw error
    }
  }
}
