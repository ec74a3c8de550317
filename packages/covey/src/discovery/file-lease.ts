import { randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { Log } from '../observe/log.ts'
import { checkUpdate } from './check-instance.ts'
import type { FileDirectory } from './file-directory.ts'
import { entryName, formatEntry, parseEntryName } from './file-entry.ts'
import { releasedError, takenError } from './lease-errors.ts'
import { hasEnded, type ProcessIdentity } from './process-identity.ts'
import type { Instance, Lease } from './registry.ts'

/** What a lease needs from its registry. */
export interface FileLeaseOptions {
  readonly directory: FileDirectory
  readonly holder: ProcessIdentity
  readonly clock: Clock
  readonly log: Log
  /** Called once, when the entry is gone. */
  readonly released: () => void
}

/**
 * The entry of one instance. Its file is kept alive by a beat: a new time on the file, or the file as a whole where it is
 * gone. What cannot be written now is written at a later beat; the log tells of the first failure of a row.
 */
export class FileLease implements Lease {
  readonly #options: FileLeaseOptions
  readonly #name: string
  #instance: Instance
  /** The content that the file should have and does not have yet. */
  #unwritten: string | undefined
  #state: 'held' | 'released' = 'held'
  #lastBeatMs = 0
  #failing = false
  #waiting = 0
  #tail: Promise<unknown> = Promise.resolve()

  constructor(instance: Instance, options: FileLeaseOptions) {
    this.#options = options
    this.#instance = instance
    this.#name = entryName(instance.id, options.holder, randomBytes(6).toString('hex'))
    this.#unwritten = formatEntry(instance, options.holder)
  }

  /**
   * Writes the entry for the first time.
   * @throws CoveyError `ALREADY_EXISTS` if another lease has the id, `START_FAILED` if nothing can be written
   */
  take(): Promise<void> {
    return this.#inTurn(async () => {
      const { directory } = this.#options
      try {
        await this.#requireUntaken()
        await this.#write()
        // Of two who came at the same time, at least one sees the other here.
        await this.#requireUntaken()
      } catch (error) {
        await directory.remove(this.#name).catch(() => {})
        if (error instanceof CoveyError) throw error
        const message = `cannot write to the registry directory ${directory.path}`
        throw new CoveyError('START_FAILED', `${message}: ${error}`, { cause: error })
      }
    })
  }

  /** Shows that the holder lives. Does nothing while an earlier beat is still on its way. */
  async beat(): Promise<void> {
    if (this.#waiting === 0) await this.#inTurn(() => this.#bringUpToDate())
  }

  async update(instance: Instance): Promise<void> {
    const checked = checkUpdate(instance, this.#instance.id)
    if (this.#state === 'released') throw releasedError(checked.id)
    this.#unwritten = formatEntry(checked, this.#options.holder)
    this.#instance = checked
    await this.#inTurn(() => this.#bringUpToDate())
  }

  async release(): Promise<void> {
    if (this.#state === 'released') return void (await this.#tail)
    this.#state = 'released'
    const { directory, log, released } = this.#options
    await this.#inTurn(async () => {
      try {
        await directory.remove(this.#name)
      } catch (error) {
        const fields = { path: directory.path, entry: this.#name, reason: String(error) }
        log.warn(fields, 'cannot remove a registry entry; it will lapse')
      }
    })
    released()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  async #bringUpToDate(): Promise<void> {
    if (this.#state === 'released') return
    const { directory, log } = this.#options
    try {
      if (this.#unwritten !== undefined || !(await this.#touch())) await this.#write()
      this.#failing = false
    } catch (error) {
      if (!this.#failing) {
        const fields = { path: directory.path, entry: this.#name, reason: String(error) }
        log.warn(fields, 'cannot write a registry entry; trying again at each beat')
      }
      this.#failing = true
    }
  }

  /** False when the file is gone. The time is never the one before, even if somebody sets the clock back. */
  async #touch(): Promise<boolean> {
    const { directory, clock } = this.#options
    this.#lastBeatMs = Math.max(this.#lastBeatMs + 1, clock.wallMs())
    try {
      await directory.touch(this.#name, this.#lastBeatMs)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  async #write(): Promise<void> {
    const { directory, holder } = this.#options
    const text = formatEntry(this.#instance, holder)
    await directory.write(this.#name, text)
    if (this.#unwritten === text) this.#unwritten = undefined
  }

  async #requireUntaken(): Promise<void> {
    const { directory, holder } = this.#options
    const { id } = this.#instance
    for (const name of await directory.list()) {
      const other = parseEntryName(name)
      if (other?.id !== id || other.temporary || name === this.#name) continue
      if (!hasEnded(other.holder, holder)) throw takenError(id)
    }
  }

  /** One step after the other, so that no beat brings back what a release removed. */
  async #inTurn<T>(step: () => Promise<T>): Promise<T> {
    this.#waiting += 1
    const result = this.#tail.then(step)
    this.#tail = result.catch(() => {})
    try {
      return await result
    } finally {
      this.#waiting -= 1
    }
  }
}
