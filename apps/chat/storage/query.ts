import { readFileSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

/** Arguments of a statement, by the names it uses after a colon. */
export type QueryArguments = Record<string, SQLInputValue>

/** A prepared statement with the types of its arguments and rows. */
export interface Query<Arguments extends QueryArguments, Row> {
  /** The first row, or undefined. */
  get(...args: QueryCall<Arguments>): Row | undefined
  all(...args: QueryCall<Arguments>): Row[]
  /** Rows one by one, read from the database as they are asked for. */
  iterate(...args: QueryCall<Arguments>): Iterable<Row>
  /** Runs it for its effect. */
  run(...args: QueryCall<Arguments>): { changes: number | bigint }
}

type QueryCall<Arguments> = keyof Arguments extends never ? [] : [Arguments]

/** Declares the types of a statement whose text is in a file of SQL. */
export interface QueryType<Arguments extends QueryArguments, Row> {
  readonly types?: readonly [Arguments, Row]
}

/** Says what a statement takes and gives. Its text stands in the file under the same name. */
export function query<Arguments extends QueryArguments, Row = never>(): QueryType<Arguments, Row> {
  return {}
}

/** Prepared statements by name, as their declarations type them. */
export type Queries<T> = {
  readonly [K in keyof T]: T[K] extends QueryType<infer Arguments, infer Row>
    ? Query<Arguments, Row>
    : never
}

/**
 * Prepares every declared statement from a file whose parts begin with `-- name: …`.
 * @throws Error if a declared statement is not in the file, or one of the file is not declared
 */
export function loadQueries<T extends Record<string, object>>(
  database: DatabaseSync,
  file: URL,
  declared: T,
): Queries<T> {
  const texts = splitQueries(readFileSync(file, 'utf8'))
  for (const name of texts.keys()) {
    if (!Object.hasOwn(declared, name)) throw new Error(`${file.pathname}: nobody uses "${name}"`)
  }
  const prepared: Record<string, StatementSync> = {}
  for (const name of Object.keys(declared)) {
    const text = texts.get(name)
    if (text === undefined) throw new Error(`${file.pathname}: no statement named "${name}"`)
    prepared[name] = database.prepare(text)
  }
  return prepared as unknown as Queries<T>
}

/** The parts of a file of statements, by name. */
export function splitQueries(text: string): Map<string, string> {
  const parts = text.split(/^-- name: *(\w+) *$/m)
  const queries = new Map<string, string>()
  for (let at = 1; at < parts.length; at += 2) queries.set(parts[at]!, parts[at + 1]!.trim())
  return queries
}
