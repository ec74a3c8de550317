import { setTimeout as delay } from 'node:timers/promises'
import { Command } from 'commander'
import { CoveyError } from '../error/covey-error.ts'
import { endLeftovers } from '../supervisor/child-records.ts'
import { isRunning } from '../supervisor/process-identity.ts'
import type { RunFolder } from '../supervisor/run-folder.ts'
import { sendSignal } from '../supervisor/send-signal.ts'
import { findSupervisor, type SupervisorRecord } from '../supervisor/supervisor-record.ts'
import { AdminClient } from './admin-client.ts'
import { configOption, findProject, type ProjectOptions } from './project.ts'

/** Time for a supervisor that was asked by a signal, and so could not say how long it may take. */
const defaultLimitMs = 60_000
/** Time for the supervisor itself, beyond that for its processes. */
const ownMs = 5_000
const pollMs = 50

/** `covey stop` */
export function stopCommand(): Command {
  return new Command('stop')
    .description('stop the fleet that was started elsewhere, and wait until it is gone')
    .addOption(configOption())
    .action(stop)
}

async function stop(options: ProjectOptions): Promise<void> {
  const folder = await findProject(options)
  const found = findSupervisor(folder)
  if (found.kind === 'none') return say(`no fleet runs in ${folder.root}`)
  if (found.kind === 'stale') return stopLeftovers(folder)
  const { record } = found
  const limitMs = (await askToStop(folder, record)) + ownMs
  const untilMs = performance.now() + limitMs
  while (isRunning(record) && performance.now() < untilMs) await delay(pollMs)
  if (!isRunning(record)) return say(`the fleet "${record.fleet}" has stopped`)
  const seconds = Math.round(limitMs / 1_000)
  throw new CoveyError(
    'DEADLINE_EXCEEDED',
    `the supervisor (pid ${record.pid}) still runs after ${seconds} s; "kill -9 ${record.pid}" ends it`,
  )
}

/** Asks through the API and, where that fails, by a signal. Returns how long the stop may take. */
async function askToStop(folder: RunFolder, record: SupervisorRecord): Promise<number> {
  try {
    const client = new AdminClient(folder, record)
    const { limitMs } = await client.post<{ limitMs: number }>('/api/stop')
    return limitMs
  } catch {
    if (isRunning(record)) sendSignal(record.pid, 'SIGTERM')
    return defaultLimitMs
  }
}

/** The supervisor died without a chance to stop its processes; they stop by themselves unless they hang. */
async function stopLeftovers(folder: RunFolder): Promise<void> {
  const names = await endLeftovers(folder.run)
  const what =
    names.length === 0 ? 'nothing of it was left' : `ended what it left: ${names.join(', ')}`
  say(`the supervisor in ${folder.root} had died; ${what}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
