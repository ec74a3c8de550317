import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { type Child, startChild } from '../child.ts'
import type { Job } from './client.ts'
import type { ServerReport } from './server.ts'
import type { SubjectName } from './subjects.ts'

/** A server process of a subject and a client process connected to it. */
export interface Pair extends AsyncDisposable {
  readonly server: Child
  readonly client: Child
  readonly port: number
  /** Time from the start of each process until the server listened and the client's first call was answered. */
  readonly serverMs: number
  readonly clientMs: number
  /** Lets the client do a job and gives what it found. `limitMs` is beside the time that the job takes by itself. */
  run<T>(job: Job, limitMs?: number): Promise<T>
}

export interface PairOptions {
  /** Default 1. */
  connections?: number
  /** Server on core 0, client on core 1. */
  pin?: boolean
  nodeArgs?: string[]
}

const startLimitMs = 30_000
/** Moleculer waits for its gossip, and the machine may be slow. */
const connectLimitMs = 60_000
const jobLimitMs = 60_000

/** Starts both processes. They are ended by disposing of the pair. */
export async function startPair(name: SubjectName, options: PairOptions = {}): Promise<Pair> {
  const { connections = 1, pin = false, nodeArgs = [] } = options
  const core = (number: number) => (pin ? { core: number, nodeArgs } : { nodeArgs })
  const serverStart = performance.now()
  const server = startChild(new URL('server.ts', import.meta.url), [name], core(0))
  try {
    const { port } = (await server.message(startLimitMs)) as ServerReport
    const serverMs = performance.now() - serverStart
    const clientStart = performance.now()
    const client = await startClient(name, port, connections, core(1))
    const clientMs = performance.now() - clientStart
    return {
      server,
      client,
      port,
      serverMs,
      clientMs,
      run: (job, limitMs) => runJob(client, job, limitMs),
      [Symbol.asyncDispose]: async () => {
        await client.stop()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** A further client process of a server; its owner stops it. */
export async function startClient(
  name: SubjectName,
  port: number,
  connections: number,
  options: { core?: number; nodeArgs?: string[] } = {},
): Promise<Child> {
  const args = [name, String(port), String(connections)]
  const client = startChild(new URL('client.ts', import.meta.url), args, options)
  try {
    await client.message(connectLimitMs)
    return client
  } catch (error) {
    await client.stop()
    throw error
  }
}

export async function runJob<T>(client: Child, job: Job, limitMs = jobLimitMs): Promise<T> {
  const seconds = 'seconds' in job ? job.seconds : 0
  return (await client.request(job, limitMs + seconds * 2_000)) as T
}

/** Why processes cannot be pinned here, or undefined. */
export function cannotPin(): string | undefined {
  if (availableParallelism() < 2) return 'there is one core'
  const { error } = spawnSync('taskset', ['--version'], { stdio: 'ignore' })
  return error && 'there is no taskset (Linux, package util-linux)'
}
