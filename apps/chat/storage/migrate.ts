import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/**
 * Brings a database to the newest form. The steps are files `0001-name.sql`, `0002-…` in `folder`, numbered
 * without gaps; `PRAGMA user_version` says how many have run. Each runs once, in a transaction of its own.
 * @throws Error if a step fails, or if the database is newer than the newest step
 */
export function migrate(database: DatabaseSync, folder: URL): void {
  const steps = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  requireNumbers(steps)
  const version = versionOf(database)
  if (version > steps.length) {
    throw new Error(
      `it has version ${version}, this program knows up to ${steps.length}: start the newer program`,
    )
  }
  for (let done = version; done < steps.length; done++) {
    runStep(database, new URL(steps[done]!, folder), done + 1)
  }
}

function requireNumbers(steps: readonly string[]): void {
  steps.forEach((name, index) => {
    const number = String(index + 1).padStart(4, '0')
    if (!name.startsWith(`${number}-`)) {
      throw new Error(`migration ${name}: its name should begin with ${number}-`)
    }
  })
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version)
}

function runStep(database: DatabaseSync, file: URL, number: number): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been first while this one waited for the lock.
    if (versionOf(database) < number) {
      database.exec(readFileSync(file, 'utf8'))
      database.exec(`PRAGMA user_version = ${number}`)
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw new Error(`migration ${file.pathname} failed`, { cause: error })
  }
}
