import type { PayloadName } from './payloads.ts'
import type { BulkRow } from './scenarios/bulk.ts'
import type { IdleConnectionsRow } from './scenarios/idle-connections.ts'
import type { MiddlewareRow } from './scenarios/middleware.ts'
import type { OverloadRow } from './scenarios/overload.ts'
import type { ServerStreamRow } from './scenarios/server-stream.ts'
import type { StartupRow } from './scenarios/startup.ts'
import { main, type UnaryRow } from './scenarios/unary.ts'
import type { SubjectName } from './subjects.ts'

/** What the scenarios found; one that was not run has no rows. */
export interface Scenarios {
  unary: UnaryRow[]
  serverStream: ServerStreamRow[]
  bulk: BulkRow[]
  idleConnections: IdleConnectionsRow[]
  startup: StartupRow[]
  middleware: MiddlewareRow[]
  overload: OverloadRow[]
}

/** The row of a load over one connection, or what HTTP/1.1 has instead. */
export function unaryRow(
  rows: readonly UnaryRow[],
  subject: SubjectName,
  concurrency: number,
  payload: PayloadName = main.payload,
): UnaryRow | undefined {
  return rows.find(
    (row) =>
      row.subject === subject &&
      row.concurrency === concurrency &&
      row.payload === payload &&
      (row.connections === 1 || row.connections === 'as needed'),
  )
}

/** With three digits behind the point. */
export function ratio(one: number, other: number): number {
  return Number((one / other).toFixed(3))
}
