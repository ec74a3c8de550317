import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { CoveyError } from '../error/covey-error.ts'
import {
  identifyProcess,
  isProcessIdentity,
  isRunning,
  type ProcessIdentity,
} from './process-identity.ts'
import type { RunFolder } from './run-folder.ts'

/** What a supervisor writes about itself into `.covey/run/supervisor.json`. */
export interface SupervisorRecord extends ProcessIdentity {
  /** Name of the fleet. */
  readonly fleet: string
  /** Where its HTTP API answers. */
  readonly url: string
  /** Folder of the control sockets when they do not lie in `.covey/run`, else null. */
  readonly socketFolder: string | null
}

/** What `.covey/run` tells: `stale` is the record of a supervisor that ended without taking it away. */
export type FoundSupervisor =
  | { readonly kind: 'running'; readonly record: SupervisorRecord }
  | { readonly kind: 'stale'; readonly record: SupervisorRecord | undefined }
  | { readonly kind: 'none' }

/** Looks which supervisor runs in a folder. */
export function findSupervisor({ recordFile }: RunFolder): FoundSupervisor {
  const text = readText(recordFile)
  if (text === undefined) return { kind: 'none' }
  const record = parseRecord(text)
  return record !== undefined && isRunning(record)
    ? { kind: 'running', record }
    : { kind: 'stale', record }
}

/** Time between two looks whether others that start at the same moment are done, in milliseconds. */
const claimPollMs = 5

/**
 * Makes this process the one supervisor of a folder. A record that a dead one left is taken over, and
 * handed to `onStale` before. Of those that start at the same moment one after the other looks and takes: to find a
 * record stale and to put another one in its place are two steps, between which nobody else may come.
 *
 * @param limitMs longest wait for them
 * @returns gives the place free again
 * @throws CoveyError `ALREADY_EXISTS` naming the one that runs, `START_FAILED` when another start does not get on
 */
export function claimRecord(
  folder: RunFolder,
  facts: Pick<SupervisorRecord, 'fleet' | 'url' | 'socketFolder'>,
  onStale: (record: SupervisorRecord | undefined) => void,
  limitMs = 5_000,
): () => void {
  const own = identifyProcess(process.pid)
  if (own === undefined)
    throw new CoveyError('START_FAILED', 'this process cannot find its own start time')
  const { recordFile } = folder
  const record: SupervisorRecord = { ...own, ...facts }
  const draft = `${recordFile}.${randomUUID()}.tmp`
  const claim = `${recordFile}.claim`
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    takeTurn(draft, claim, limitMs)
    try {
      while (!linkIfFree(draft, recordFile)) {
        const found = findSupervisor(folder)
        if (found.kind === 'running') throw alreadyRuns(found.record)
        if (found.kind === 'stale' && moveAway(recordFile)) onStale(found.record)
      }
    } finally {
      rmSync(claim, { force: true })
    }
  } finally {
    rmSync(draft)
  }
  return () => {
    const found = findSupervisor(folder)
    if (found.kind === 'running' && found.record.pid === own.pid) rmSync(recordFile)
  }
}

/** Waits until no other process that lives is looking and taking. It holds for moments, so the wait blocks. */
function takeTurn(draft: string, claim: string, limitMs: number): void {
  const untilMs = performance.now() + limitMs
  while (!linkIfFree(draft, claim)) {
    const text = readText(claim)
    if (text === undefined) continue
    const holder = parseRecord(text)
    if (holder === undefined || !isRunning(holder)) moveAway(claim)
    else if (performance.now() < untilMs) Atomics.wait(pause, 0, 0, claimPollMs)
    else {
      const message = `process ${holder.pid} has been starting the fleet for ${limitMs} ms and does not get on; end it: kill -9 ${holder.pid}`
      throw new CoveyError('START_FAILED', message)
    }
  }
}

/** Nobody wakes it. */
const pause = new Int32Array(new SharedArrayBuffer(4))

function alreadyRuns({ fleet, pid, url }: SupervisorRecord): CoveyError {
  const message = `the fleet "${fleet}" runs here already, with pid ${pid}; its console is ${url}; "covey stop" stops it`
  return new CoveyError('ALREADY_EXISTS', message)
}

function linkIfFree(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes a stale record away. Between reading and moving another process may have put its own in place;
 * what was moved is therefore looked at again, and put back if it is alive.
 */
function moveAway(path: string): boolean {
  const aside = `${path}.${randomUUID()}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  const moved = parseRecord(readText(aside) ?? '')
  const isAlive = moved !== undefined && isRunning(moved)
  if (isAlive) linkIfFree(aside, path)
  rmSync(aside)
  return !isAlive
}

function parseRecord(text: string): SupervisorRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isProcessIdentity(value)) return undefined
    const { fleet, url, socketFolder = null } = value as Partial<SupervisorRecord>
    if (typeof fleet !== 'string' || typeof url !== 'string') return undefined
    if (socketFolder !== null && typeof socketFolder !== 'string') return undefined
    return { pid: value.pid, startTime: value.startTime, fleet, url, socketFolder }
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
