import { systemClock } from '../../base/clock.ts'
import { TimerWheel } from '../../base/timer-wheel.ts'
import { currentCall, keepContext } from '../../call/call-storage.ts'
import { compose } from '../../call/handler.ts'
import type { Client } from '../../contract/client.ts'
import { defineService } from '../../contract/define-service.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { silentLog } from '../../observe/log.ts'
import { clientStack } from '../../rpc/client-stack.ts'
import { contractClient } from '../../rpc/contract-client.ts'
import { createDispatcher } from '../../rpc/dispatcher.ts'
import { type HealthReport, health } from '../../rpc/health.ts'
import { defaultLimits, type Limits } from '../../transport/limits.ts'
import type { Authenticate, Connection, Listener, Transport } from '../../transport/transport.ts'
import { nothingSeen, probe, probeService, type Seen } from './probe.ts'

/** What the suite asks of the transport that is tested. */
export interface TransportSuiteOptions {
  readonly transport: Transport
  /** An address nobody listens at. */
  freeAddress(): Promise<string>
}

/** A connection, with clients of its own. */
export interface BenchConnection {
  readonly api: Client<typeof probe>
  readonly health: Client<typeof health>
  readonly connection: Connection
}

/** What a test gets to work with. */
export interface TransportBench extends BenchConnection {
  readonly listener: Listener
  /** Connects once more. */
  another(): Promise<BenchConnection>
  readonly seen: Seen
  /** Deadlines that are being watched, on both sides. */
  readonly wheel: TimerWheel
}

/** What is not as usual in a test. */
export interface TransportBenchOptions {
  readonly limits?: Partial<Limits>
  readonly authenticate?: Authenticate
  readonly credential?: string
}

/** Declares one test. */
export type Check = (
  what: string,
  use: (bench: TransportBench) => Promise<void>,
  options?: TransportBenchOptions,
) => void

/** Runs `use` with a server, a connection to it and a client. */
export async function withBench(
  { transport, freeAddress }: TransportSuiteOptions,
  options: TransportBenchOptions,
  use: (bench: TransportBench) => Promise<void>,
): Promise<void> {
  const seen = nothingSeen()
  const limits = { ...defaultLimits, ...options.limits }
  const wheel = new TimerWheel(systemClock)
  const services = [probeService(seen), defineService(health, { check: () => wellbeing })]
  const dispatcher = createDispatcher(services, {
    instance: 'probe-1',
    wheel,
    log: silentLog,
    middleware: [],
  })
  const { authenticate, credential } = options
  const listenOptions = { limits, clock: systemClock, authenticate }
  const listener = await transport.listen(await freeAddress(), dispatcher, listenOptions)
  const connections: Connection[] = []
  const another = async () => {
    const connectOptions = { limits, clock: systemClock, credential, instance: 'probe-1' }
    const connection = await transport.connect(listener.address, connectOptions)
    connections.push(connection)
    const invoke = compose(clientStack({ wheel, middleware: [] }), connection.invoke)
    const client = { clock: systemClock, invoke, currentCall, keepContext }
    return {
      connection,
      api: contractClient(probe, client),
      health: contractClient(health, client),
    }
  }
  try {
    await use({ ...(await another()), another, listener, seen, wheel })
    for (const connection of connections) await connection.close()
  } finally {
    await listener.close()
  }
}

/** What the bench says of itself; only the state matters. */
const wellbeing: HealthReport = {
  state: 'draining',
  app: 'probe',
  instance: 'probe-1',
  pid: 1,
  uptimeMs: 1,
}

/** For `assert.rejects`. */
export function hasCode(code: string) {
  return (error: unknown) => error instanceof CoveyError && error.code === code
}
