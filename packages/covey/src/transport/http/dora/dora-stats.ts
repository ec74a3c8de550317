import type { CallDesk } from '../call-desk.ts'
import type { Exchange } from '../exchange.ts'

/** The method that every application has for this. */
const readStats = 'covey.stats.read'

/** What that method says, as far as it is used here. */
interface Stats {
  readonly uptimeMs: number
  readonly connections: number
  readonly methods: readonly { readonly calls: number; readonly running: number }[]
}

/** The answer to `getStat`, with the names of Swoole's figures. */
export interface DoraStats {
  readonly server: {
    /** Unix time of the start, in seconds; 0 where nobody counts. */
    readonly start_time: number
    readonly connection_num: number
    /** Calls that have ended. */
    readonly request_count: number
    /** Calls that run. */
    readonly tasking_num: number
    /** The same by method. */
    readonly methods: Stats['methods']
  }
  /** Logs are lines on standard output here; none wait. */
  readonly logqueue: { readonly queue_num: number; readonly queue_bytes: number }
}

/** Asks the application for its figures. */
export async function doraStats(desk: CallDesk, exchange: Exchange): Promise<DoraStats> {
  const { uptimeMs, connections, methods } = await readFrom(desk, exchange)
  const sum = (of: 'calls' | 'running') => methods.reduce((total, method) => total + method[of], 0)
  const startMs = uptimeMs === 0 ? 0 : desk.options.clock.wallMs() - uptimeMs
  return {
    server: {
      start_time: Math.floor(startMs / 1_000),
      connection_num: connections,
      request_count: sum('calls'),
      tasking_num: sum('running'),
      methods,
    },
    logqueue: { queue_num: 0, queue_bytes: 0 },
  }
}

/** Where nobody counts calls, as in a gateway, there is only what the door itself sees. */
async function readFrom(desk: CallDesk, exchange: Exchange): Promise<Stats> {
  const method = desk.dispatcher.methods.find(({ path }) => path === readStats)
  if (method === undefined) return { uptimeMs: 0, connections: desk.running, methods: [] }
  const call = desk.begin(exchange, method, undefined, desk.headers(exchange))
  return (await desk.dispatcher.serve(call)) as Stats
}
