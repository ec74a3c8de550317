import { readdirSync, readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { rareWarning } from '../../observe/rare-warning.ts'
import type { ListenOptions } from '../transport.ts'

/** File handles that are kept for files and for connections to others: a fifth, but no more than this. */
const maxReserve = 64

/** Time between two lines of the log about connections that were refused, in milliseconds. */
const quietMs = 60_000

/**
 * Bounds the connections of a server that listens by `maxConnections` and by the file handles that the system gives this
 * process, of which some are kept for other uses. Those beyond are closed at once, which the log says once a minute.
 */
export function limitAccept(server: Server, { limits, log, clock }: ListenOptions): void {
  const maxConnections = Math.min(limits.maxConnections, spareHandles())
  server.maxConnections = maxConnections
  const warn = rareWarning(log, clock, quietMs)
  const message = 'connections are refused: too many are open'
  server.on('drop', () => warn({ maxConnections }, message))
  // Of the listening socket, which goes on and takes connections again when there are handles.
  server.on('error', (err) => warn({ maxConnections, err }, message))
}

/** Handles for connections, by what Linux says of this process; elsewhere nobody knows. */
function spareHandles(): number {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    const spare = Number(line?.[1]) - readdirSync('/proc/self/fd').length
    if (spare > 0) return Math.max(1, Math.floor(spare - Math.min(maxReserve, spare / 5)))
  } catch {
    // Not Linux.
  }
  return Number.POSITIVE_INFINITY
}
