import type { DatabaseSync } from 'node:sqlite'
import type { Log } from 'covey'
import { CommitQueue } from './commit-queue.ts'
import { openDatabase } from './open-database.ts'
import { loadQueries, type Queries } from './query.ts'

/** What a store is opened from. */
export interface StoreOptions<T> {
  /** File of the database, relative to the working directory. */
  path: string
  /** Folder with `migrations/` and `queries.sql`. */
  folder: URL
  /** Every statement of `queries.sql`, with its types. */
  queries: T
  log: Log
}

/** The database of one service: its statements, prepared, and its commits. */
export class Store<T extends Record<string, object>> {
  readonly queries: Queries<T>
  readonly #database: DatabaseSync
  readonly #commits: CommitQueue

  /** @throws CoveyError `START_FAILED` if the file cannot be opened */
  constructor({ path, folder, queries, log }: StoreOptions<T>) {
    this.#database = openDatabase(path, new URL('migrations/', folder))
    this.queries = loadQueries(this.#database, new URL('queries.sql', folder), queries)
    this.#commits = new CommitQueue(this.#database, log)
  }

  /** Runs `work` in a transaction and gives its result once it is on the disk; see {@link CommitQueue.commit}. */
  commit<R>(work: () => R): Promise<R> {
    return this.#commits.commit(work)
  }

  /** Writes what waits and closes the file. */
  close(): void {
    this.#commits.close()
    this.#database.close()
  }
}
