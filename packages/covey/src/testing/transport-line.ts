import { systemClock } from '../base/clock.ts'
import type { Middleware } from '../call/handler.ts'
import type { AnyService } from '../contract/define-service.ts'
import { type Log, silentLog } from '../observe/log.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { httpTransport } from '../transport/http/http-transport.ts'
import { defaultLimits } from '../transport/limits.ts'
import { createMemoryTransport } from '../transport/memory/memory-transport.ts'
import { tcpTransport } from '../transport/tcp/tcp-transport.ts'
import type { Connection, Listener, Transport } from '../transport/transport.ts'
import { wsTransport } from '../transport/ws/ws-transport.ts'
import { freePort } from './free-port.ts'
import { lineWheel } from './tcp-line.ts'

// A server and one connection to it over any transport, for tests of what all of them promise of handlers.

const options = { limits: defaultLimits, clock: systemClock }

/** The transports, each with a new address. */
export const lineTransports: Readonly<Record<string, () => Promise<[Transport, string]>>> = {
  memory: async () => [createMemoryTransport(), 'memory:line'],
  tcp: async () => [tcpTransport, `tcp://127.0.0.1:${await freePort()}`],
  ws: async () => [wsTransport, `ws://127.0.0.1:${await freePort()}`],
  http: async () => [httpTransport, `http://127.0.0.1:${await freePort()}`],
}

/** What is not as usual. */
export interface TransportLineOptions {
  readonly middleware?: readonly Middleware[]
  readonly log?: Log
}

export interface TransportLine extends AsyncDisposable {
  readonly listener: Listener
  readonly connection: Connection
}

/** Serves `service` over a transport of {@link lineTransports} and connects to it. */
export async function openLine(
  name: string,
  service: AnyService,
  { middleware = [], log = silentLog }: TransportLineOptions = {},
): Promise<TransportLine> {
  const [transport, address] = await lineTransports[name]!()
  const dispatcher = createDispatcher([service], {
    instance: 'line-1',
    wheel: lineWheel,
    log,
    middleware,
  })
  const listener = await transport.listen(address, dispatcher, options)
  const connection = await transport.connect(listener.address, options)
  return {
    listener,
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close()
      await listener.close()
    },
  }
}
