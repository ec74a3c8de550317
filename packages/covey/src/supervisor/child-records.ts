import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import { sleep } from '../base/sleep.ts'
import {
  identifyProcess,
  isProcessIdentity,
  isRunning,
  type ProcessIdentity,
} from './process-identity.ts'
import { writeAtomically } from './run-folder.ts'
import { sendSignal } from './send-signal.ts'

const suffix = '.pid'
/** The drain of an application takes 30 s at most; see `stopTimeoutMs`. */
const endTimeoutMs = 35_000
const killTimeoutMs = 2_000

/** Notes on disk which process runs as `name` (`user-0`), for a supervisor that comes after a crash of this one. */
export function recordChild(runFolder: string, name: string, pid: number): void {
  const identity = identifyProcess(pid)
  if (identity !== undefined)
    writeAtomically(join(runFolder, name + suffix), JSON.stringify(identity))
}

/** Takes the note away. */
export function forgetChild(runFolder: string, name: string): void {
  rmSync(join(runFolder, name + suffix), { force: true })
}

/**
 * Ends what a supervisor that died left running. Its children notice its end and drain by themselves; those that are
 * not gone in time, because they hang or do not listen, are killed with all they started. When
 * `signal` aborts, they are left alone. Returns the names of those that were ended.
 */
export async function endLeftovers(
  runFolder: string,
  options: { clock?: Clock; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<string[]> {
  const { clock = systemClock, timeoutMs = endTimeoutMs, signal } = options
  const found = readRecords(runFolder)
  const left = found.filter(({ identity }) => identity !== undefined && isRunning(identity))
  const wait = (identity: ProcessIdentity, limitMs: number) =>
    waitForEnd(identity, clock.monotonicMs() + limitMs, clock, signal)
  const ends = left.map(async ({ identity }) => {
    sendSignal(identity!.pid, 'SIGTERM')
    await wait(identity!, timeoutMs)
    if (signal?.aborted) return
    sendSignal(-identity!.pid, 'SIGKILL')
    await wait(identity!, killTimeoutMs)
  })
  await Promise.all(ends)
  if (signal?.aborted) return []
  for (const { name } of found) forgetChild(runFolder, name)
  return left.map(({ name }) => name)
}

async function waitForEnd(
  identity: ProcessIdentity,
  untilMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<void> {
  while (isRunning(identity) && clock.monotonicMs() < untilMs && !signal?.aborted) {
    await sleep(50, undefined, clock)
  }
}

function readRecords(runFolder: string): { name: string; identity: ProcessIdentity | undefined }[] {
  const names = readdirSync(runFolder).filter((name) => name.endsWith(suffix))
  return names.map((file) => {
    const identity = parseIdentity(readFileSync(join(runFolder, file), 'utf8'))
    return { name: file.slice(0, -suffix.length), identity }
  })
}

function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isProcessIdentity(value) ? value : undefined
  } catch {
    return undefined
  }
}
