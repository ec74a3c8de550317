import { parseArgs } from 'node:util'
import { startChild } from '../child.ts'
import { ensurePeers } from '../peers.ts'
import type { ClientReport } from './client.ts'
import { createReport, formatReport, type Rounds } from './report.ts'
import type { ServerReport } from './server.ts'
import { type SubjectName, subjectName, subjectNames } from './subjects.ts'

/** What `npm run bench -- rpc` accepts, with its defaults filled in. */
export interface RpcOptions {
  json: boolean
  /**
   * Seconds of one measurement at concurrency 128; at concurrency 1 it takes 0.6 of that. Default
   * 5.
   */
  seconds: number
  /** How often each subject is measured; `createReport` says which round counts. Default 3. */
  rounds: number
  /** Default: all subjects. */
  only: SubjectName[]
}

/** Subjects that need nothing from `bench/node_modules`. */
const ownSubjects: SubjectName[] = ['covey', 'bareJson']
const startLimitMs = 30_000
/**
 * Beside the measuring itself: start, connect (Moleculer waits for its gossip), warm-up, and a slow
 * machine.
 */
const clientLimitMs = 60_000

/**
 * Measures the echo of every subject, each round with a fresh server and a fresh client process,
 * the subjects of a round one after the other, so that a slow minute of the machine does not fall
 * on one subject alone. All subjects are tried; then any failure fails the whole run, since ratios
 * over a broken run would look like results.
 */
export async function run(args: string[]): Promise<string> {
  const options = parseRpcOptions(args)
  if (options.only.some((name) => !ownSubjects.includes(name))) await ensurePeers()
  const rounds: Rounds = {}
  const failures: string[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const name of options.only) {
      try {
        const figures = await measureSubject(name, options.seconds)
        rounds[name] = [...(rounds[name] ?? []), figures]
        console.error(`round ${round} ${name.padEnd(10)} ${summary(figures)}`)
      } catch (error) {
        failures.push(`round ${round} ${name}: ${error instanceof Error ? error.message : error}`)
        console.error(failures.at(-1))
      }
    }
  }
  if (failures.length > 0) throw new Error(`bench: failed\n${failures.join('\n')}`)
  const report = createReport(rounds)
  return options.json ? JSON.stringify(report, null, 2) : formatReport(report)
}

/** Throws on an unknown option, subject or a number that makes no sense. */
export function parseRpcOptions(args: string[]): RpcOptions {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
    },
  })
  const asked = values.only?.split(',').map(subjectName)
  const seconds = Number(values.seconds)
  const rounds = Number(values.rounds)
  if (!(seconds > 0 && seconds <= 3600)) throw new Error(`--seconds ${values.seconds}: 0 to 3600`)
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: 1 or more`)
  const only = subjectNames.filter((name) => !asked || asked.includes(name))
  return { json: values.json, seconds, rounds, only }
}

async function measureSubject(name: SubjectName, seconds: number): Promise<ClientReport> {
  const server = startChild(new URL('server.ts', import.meta.url), [name])
  try {
    const { port } = (await server.message(startLimitMs)) as ServerReport
    const args = [name, String(port), String(seconds)]
    const client = startChild(new URL('client.ts', import.meta.url), args)
    try {
      return (await client.message(clientLimitMs + seconds * 2_000)) as ClientReport
    } finally {
      await client.stop()
    }
  } finally {
    await server.stop()
  }
}

function summary({ concurrency128, concurrency1 }: ClientReport): string {
  return `${concurrency128.callsPerSecond} calls/s at 128, ${concurrency1.callsPerSecond} at 1`
}
