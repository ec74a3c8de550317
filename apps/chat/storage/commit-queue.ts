import type { DatabaseSync } from 'node:sqlite'
import { CoveyError, type Log } from 'covey'

/** Bounds of a {@link CommitQueue}. */
export interface CommitQueueOptions {
  /** Most entries in one transaction. Default 256. */
  maxBatch?: number
  /** Most entries that wait. Default 10,000. */
  maxQueued?: number
}

interface Entry {
  readonly work: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/**
 * Group commit: writes that arrive in one turn of the event loop share one transaction, so one wait for the
 * disk serves them all. Each caller is answered after the commit; one that throws undoes only itself.
 */
export class CommitQueue {
  readonly #database: DatabaseSync
  readonly #maxBatch: number
  readonly #maxQueued: number
  readonly #log: Log
  #waiting: Entry[] = []
  #scheduled = false
  #closed = false

  constructor(database: DatabaseSync, log: Log, options: CommitQueueOptions = {}) {
    this.#database = database
    this.#log = log
    this.#maxBatch = options.maxBatch ?? 256
    this.#maxQueued = options.maxQueued ?? 10_000
  }

  /**
   * Runs `work` in a transaction and gives its result once that is on the disk.
   * @param work reads and writes the database, synchronously; if it throws, its writes are undone
   * @throws whatever `work` throws; CoveyError `UNAVAILABLE` if the commit failed, `RESOURCE_EXHAUSTED` if
   * too much waits, `DRAINING` after `close`
   */
  async commit<T>(work: () => T): Promise<T> {
    if (this.#closed) throw new CoveyError('DRAINING', 'the database is being closed')
    if (this.#waiting.length >= this.#maxQueued) {
      const details = { rule: 'commit queue', maxQueued: this.#maxQueued, retryAfterMs: 100 }
      throw new CoveyError('RESOURCE_EXHAUSTED', 'too many writes wait for the disk', { details })
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Writes what waits and takes nothing more. */
  close(): void {
    this.#closed = true
    while (this.#waiting.length > 0) this.#flush()
  }

  /** After the reads of this turn, so that everything which arrived together is together. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
      if (this.#waiting.length > 0) this.#schedule()
    })
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0, this.#maxBatch)
    try {
      const outcomes = this.#transact(batch)
      batch.forEach((entry, index) => {
        const outcome = outcomes[index]!
        if ('error' in outcome) entry.reject(outcome.error)
        else entry.resolve(outcome.value)
      })
    } catch (cause) {
      this.#log.error({ err: cause, writes: batch.length }, 'could not commit')
      const failed = new CoveyError('UNAVAILABLE', 'the database could not store this', { cause })
      for (const entry of batch) entry.reject(failed)
    }
  }

  #transact(batch: readonly Entry[]): Outcome[] {
    const database = this.#database
    database.exec('BEGIN IMMEDIATE')
    try {
      const outcomes = batch.map((entry) => this.#runEntry(entry))
      database.exec('COMMIT')
      return outcomes
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  #runEntry(entry: Entry): Outcome {
    const database = this.#database
    database.exec('SAVEPOINT entry')
    try {
      const value = entry.work()
      database.exec('RELEASE entry')
      return { value }
    } catch (error) {
      // A full disk or a failing one ends the whole transaction by itself; then nobody's write is kept.
      if (!database.isTransaction) throw error
      database.exec('ROLLBACK TO entry')
      database.exec('RELEASE entry')
      return { error }
    }
  }
}
