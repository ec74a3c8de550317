import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CoveyError } from 'covey'
import { migrate } from './migrate.ts'

/** How long a statement waits for another process that writes to the same file, in milliseconds. */
const busyTimeoutMs = 5_000

const unfitFiles = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT'])
/** PERM, READONLY, CORRUPT, CANTOPEN, NOTADB. Source: https://www.sqlite.org/rescode.html */
const unfitDatabases = new Set([3, 8, 11, 14, 26])

/**
 * Opens a SQLite file, makes it (0600, in a folder of 0700) when there is none, and brings it to the newest
 * form. Commits reach the disk before they return (WAL with `synchronous=FULL`), foreign keys hold.
 *
 * @param path relative to the working directory
 * @param migrations folder of the numbered steps
 * @throws CoveyError with the path and the reason: `INVALID_SETTINGS` if this file cannot be a database,
 * `START_FAILED` if another try may open it, or if a migration fails
 */
export function openDatabase(path: string, migrations: URL): DatabaseSync {
  const file = resolve(path)
  let database: DatabaseSync | undefined
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
    database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
    makeDurable(database)
    migrate(database, migrations)
    return database
  } catch (error) {
    database?.close()
    const reason = error instanceof Error ? error.message : String(error)
    const code = isUnfit(error) ? 'INVALID_SETTINGS' : 'START_FAILED'
    throw new CoveyError(code, `cannot open the database ${file}: ${reason}`, { cause: error })
  }
}

/** Whether the file itself is the reason, so that somebody has to mend it or to name another. */
function isUnfit(error: unknown): boolean {
  const { code = '', errcode = 0 } = error as { code?: string; errcode?: number }
  // The low byte is the kind of a result of SQLite, the others say more of it.
  return unfitFiles.has(code) || unfitDatabases.has(errcode & 0xff)
}

function makeDurable(database: DatabaseSync): void {
  const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
  if (mode !== 'wal') throw new Error(`its file system does not allow WAL, it says "${mode}"`)
  database.exec('PRAGMA synchronous = FULL')
  // The log shrinks back after a rush instead of staying at its largest.
  database.exec(`PRAGMA journal_size_limit = ${64 * 1024 * 1024}`)
}
