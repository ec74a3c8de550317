import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createApp } from '../app/create-app.ts'
import type { Clock } from '../base/clock.ts'
import type { LinkSettings } from '../rpc/link-settings.ts'
import { createRuntime } from '../rpc/runtime.ts'
import type { Limits } from '../transport/limits.ts'
import { ExecutionLog } from './execution-log.ts'
import { truthService } from './fixtures/truth-service.ts'

const script = new URL('./fixtures/truth-thread.ts', import.meta.url)

/** What a server is started with; plain data, but for the clock. */
export interface TruthServerOptions {
  readonly shared: SharedArrayBuffer
  readonly limits: Partial<Limits>
  readonly links: LinkSettings
  /** Whether it is called over HTTP. Default false. */
  readonly http?: boolean
  /** Only of a server in this thread. */
  readonly clock?: Clock
}

/** A server of the `truth` contract. */
export interface TruthServer {
  readonly address: string
  readonly id: string
  /** Ends it as `kill -9` would, as far as it can be done. */
  kill(): Promise<unknown>
  /** Lets it finish what it runs and ends it. */
  stop(): Promise<unknown>
  /** Holds its event loop up, if it has one of its own. */
  block(ms: number): void
}

/** What a server's thread is told. */
export type TruthThreadCommand =
  | { readonly do: 'stop' }
  | { readonly do: 'block'; readonly ms: number }

/** Starts a server in a thread of its own, which can be terminated like a process. */
export async function startTruthThread(options: TruthServerOptions): Promise<TruthServer> {
  const worker = new Worker(script, { workerData: options })
  const gone = once(worker, 'exit')
  const [started] = (await once(worker, 'message')) as [{ address: string; id: string }]
  const tell = (command: TruthThreadCommand) => worker.postMessage(command)
  return {
    ...started,
    kill: () => worker.terminate(),
    stop() {
      tell({ do: 'stop' })
      return gone
    },
    block: (ms) => tell({ do: 'block', ms }),
  }
}

/** Starts a server in this thread, so that all that it leaves behind can be seen here. */
export async function startTruthApp(options: TruthServerOptions): Promise<TruthServer> {
  const { shared, limits, links, http = false, clock } = options
  const timed = clock === undefined ? {} : { clock }
  const runtime = createRuntime({ registry: 'memory:', limits, ...links, ...timed })
  const app = createApp({
    name: 'truth',
    services: [truthService(new ExecutionLog(shared))],
    runtime,
    overrides: {
      covey: {
        port: 0,
        logLevel: 'silent',
        drainWaitMs: 50,
        ...(http ? { http: { port: 0 } } : {}),
      },
    },
    ownsProcess: false,
  })
  await app.start()
  const stop = async () => {
    await app.stop()
    await runtime.close()
  }
  const address = app.instance.addresses[http ? 1 : 0]!
  return { address, id: app.instance.id, stop, kill: stop, block() {} }
}
