/**
 * The yardstick with the one thing that Covey does and it does not: a write that has reached 8 KiB leaves before
 * the tick ends, so that the other process begins with it on its own core while the rest is made. Beside
 * `bareJson` it shows how much of a difference is that policy and how much is the work of a call.
 */
import { spread } from '../spread.ts'
import type { BenchClient } from '../subject.ts'
import { listen, open } from './bare-json.ts'

/** As in Covey's `transport/session/frame-link.ts`. */
const fullWriteBytes = 8 * 1024

export function startServer(port: number): Promise<void> {
  return listen(port, fullWriteBytes)
}

export function connect(port: number, connections: number): Promise<BenchClient> {
  return spread(connections, () => open(port, fullWriteBytes))
}
