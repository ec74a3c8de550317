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

/**
 * Makes this process the one supervisor of a folder. A record that a dead one left is taken over, and
 * handed to `onStale` before. The file is made by `link`, which fails if there is one, so of two that
 * start at the same moment only one gets through.
 *
 * @returns gives the place free again
 * @throws CoveyError `ALREADY_EXISTS` naming the one that runs
 */
export function claimRecord(
  folder: RunFolder,
  facts: Pick<SupervisorRecord, 'fleet' | 'url' | 'socketFolder'>,
  onStale: (record: SupervisorRecord | undefined) => void,
): () => void {
  const own = identifyProcess(process.pid)
  if (own === undefined)
    throw new CoveyError('START_FAILED', 'this process cannot find its own start time')
  const { recordFile } = folder
  const record: SupervisorRecord = { ...own, ...facts }
  const draft = `${recordFile}.${randomUUID()}.tmp`
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    while (!linkIfFree(draft, recordFile)) {
      const found = findSupervisor(folder)
      if (found.kind === 'running') throw alreadyRuns(found.record)
      if (found.kind === 'stale' && moveAway(recordFile)) onStale(found.record)
    }
  } finally {
    rmSync(draft)
  }
  return () => {
    const found = findSupervisor(folder)
    if (found.kind === 'running' && found.record.pid === own.pid) rmSync(recordFile)
  }
}

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
