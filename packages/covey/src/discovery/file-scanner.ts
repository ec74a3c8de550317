import { join } from 'node:path'
import type { Clock, Timer } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import type { FileDirectory } from './file-directory.ts'
import { type EntryName, parseEntry, parseEntryName } from './file-entry.ts'
import { hasEnded, type ProcessIdentity } from './process-identity.ts'
import type { Instance } from './registry.ts'

/** What a scanner needs, and whom it tells. */
export interface FileScannerOptions {
  readonly directory: FileDirectory
  readonly self: ProcessIdentity
  readonly clock: Clock
  readonly log: Log
  /** Silence after which an entry counts as gone, in milliseconds. */
  readonly staleMs: number
  /** Time between two looks, in milliseconds. */
  readonly pollMs: number
  /** Called after each look with what is alive. */
  readonly found: (instances: readonly Instance[]) => void
}

/** An entry as it was seen last. */
interface Sighting {
  readonly entry: EntryName
  readonly instance: Instance
  readonly beat: string
  /** How long this process has looked on without seeing a beat, in milliseconds. */
  readonly silentMs: number
}

/** Silence of an entry whose process cannot be looked up after which its file is removed, in milliseconds. */
const abandonedMs = 10 * 60_000

/**
 * Looks into the directory of a file registry: at once when the system tells of a change, and from time to time anyway.
 *
 * An entry lives while its beat changes. Only time during which this process looked on counts against it, so that a
 * process that was paused itself, or whose machine slept, does not take all others for dead. Clocks of different
 * processes are never compared. Files of processes that have ended for certain are removed.
 */
export class FileScanner {
  readonly #options: FileScannerOptions
  #sightings: ReadonlyMap<string, Sighting> = new Map()
  #lastLookMs: number | undefined
  #active = false
  #timer: Timer | undefined
  #tail: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined
  #failing = false
  /** Names of files that are reported, so that each is reported once. */
  #reported: ReadonlySet<string> = new Set()

  constructor(options: FileScannerOptions) {
    this.#options = options
  }

  /** Looks now, and again and again until `stop`. */
  start(): void {
    this.#active = true
    this.#options.directory.observe((event, name) => {
      if (event === 'names' ? !name?.endsWith('.tmp') : this.#isSilent(name)) void this.look()
    })
    void this.look()
  }

  /** Stops looking; resolves when nothing is open any more. */
  async stop(): Promise<void> {
    this.#active = false
    this.#timer?.stop()
    await this.#inTurn(async () => {
      if (!this.#active) this.#options.directory.close()
    })
  }

  /** Looks once; resolves when all is told that was there when this was called. */
  look(): Promise<void> {
    this.#queued ??= this.#inTurn(async () => {
      this.#queued = undefined
      try {
        await this.#lookOnce()
      } finally {
        this.#tell()
        this.#arm()
      }
    })
    return this.#queued
  }

  /** Most beats tell nothing new; that of an entry which counts as gone does. */
  #isSilent(name: string | undefined): boolean {
    const sighting = this.#sightings.get(name ?? '')
    return sighting !== undefined && sighting.silentMs >= this.#options.staleMs
  }

  async #lookOnce(): Promise<void> {
    const { clock, directory, pollMs } = this.#options
    const nowMs = clock.monotonicMs()
    const passedMs = Math.min(nowMs - (this.#lastLookMs ?? nowMs), 2 * pollMs)
    this.#lastLookMs = nowMs
    const names = await directory.list()
    this.#sightings = await this.#sightAll(names, passedMs)
    this.#failing = false
  }

  async #sightAll(names: readonly string[], passedMs: number): Promise<Map<string, Sighting>> {
    const sightings = new Map<string, Sighting>()
    const unusable = new Set<string>()
    const { log, directory } = this.#options
    for (const name of names) {
      const sighting = await this.#sight(name, passedMs, (error) => {
        unusable.add(name)
        if (this.#reported.has(name)) return
        const path = join(directory.path, name)
        log.warn({ path, reason: reasonOf(error) }, 'skipped an unusable registry entry')
      })
      if (sighting !== undefined) sightings.set(name, sighting)
    }
    this.#reported = unusable
    return sightings
  }

  async #sight(
    name: string,
    passedMs: number,
    report: (error: unknown) => void,
  ): Promise<Sighting | undefined> {
    const { directory, self } = this.#options
    const entry = parseEntryName(name)
    if (entry === undefined) return void report('not a name that a registry gives')
    const before = this.#sightings.get(name)
    if (hasEnded(entry.holder, self) || this.#isAbandoned(before)) {
      return void (await directory.remove(name).catch(report))
    }
    if (entry.temporary) return undefined
    let beat = before?.beat ?? ''
    try {
      beat = await directory.beatOf(name)
      if (before?.beat === beat) return longerSilent(before, passedMs)
      const instance = parseEntry(await directory.read(name), entry)
      return { entry, instance, beat, silentMs: 0 }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      report(error)
      if (before === undefined || !isSystemError(error)) return undefined
      // The system could not read it just now: what was read before still counts, and so does its beat.
      return beat === before.beat
        ? longerSilent(before, passedMs)
        : { ...before, beat, silentMs: 0 }
    }
  }

  /** Whether an entry, whose process nobody here can look up, was silent for so long that its file is litter. */
  #isAbandoned(sighting: Sighting | undefined): boolean {
    if (sighting === undefined || sighting.silentMs < abandonedMs) return false
    return sighting.entry.holder.machine !== this.#options.self.machine
  }

  #tell(): void {
    const { found, staleMs } = this.#options
    const alive = [...this.#sightings.values()].filter(({ silentMs }) => silentMs < staleMs)
    found(alive.map(({ instance }) => instance))
  }

  /** The next look is due when an entry may become stale, or after the usual time. */
  #arm(): void {
    this.#timer?.stop()
    if (!this.#active) return
    const { clock, pollMs, staleMs } = this.#options
    const remaining = [...this.#sightings.values()]
      .map(({ silentMs }) => staleMs - silentMs)
      .filter((ms) => ms > 0)
    const delayMs = Math.max(1, Math.ceil(Math.min(pollMs, ...remaining)))
    this.#timer = clock.after(delayMs, () => void this.look())
  }

  /** One step after the other. A step that fails changes nothing, and the first failure of a row is reported. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(step).catch((error) => {
      const { directory, log } = this.#options
      const fields = { path: directory.path, reason: reasonOf(error) }
      if (!this.#failing)
        log.warn(fields, 'cannot read the registry directory; the last list stays')
      this.#failing = true
    })
    return this.#tail
  }
}

function longerSilent(before: Sighting, passedMs: number): Sighting {
  return { ...before, silentMs: before.silentMs + passedMs }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
