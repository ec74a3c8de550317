import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { currentCall } from '../call/call-storage.ts'
import { compose } from '../call/handler.ts'
import type { Client } from '../contract/client.ts'
import type { Contract } from '../contract/define-contract.ts'
import type { AnyService } from '../contract/define-service.ts'
import { type Log, silentLog } from '../observe/log.ts'
import { clientStack } from '../rpc/client-stack.ts'
import { contractClient } from '../rpc/contract-client.ts'
import { createDispatcher } from '../rpc/dispatcher.ts'
import { defaultLimits, type Limits } from '../transport/limits.ts'
import { tcpTransport } from '../transport/tcp/tcp-transport.ts'
import type { Connection, ConnectionEvents, Listener } from '../transport/transport.ts'
import { freePort } from './free-port.ts'

// A server, a connection and a client on TCP without registry, channel and application, for tests of what sockets do.

const clock = systemClock

/** Where the deadlines of both ends wait. */
export const lineWheel = new TimerWheel(clock)

/** Serves `service` as instance `echo-1`, on 127.0.0.1 unless `address` says another place. */
export async function serveTcp(
  service: AnyService,
  limits: Partial<Limits> = {},
  log: Log = silentLog,
  address?: string,
): Promise<Listener> {
  const stack = { instance: 'echo-1', wheel: lineWheel, log, middleware: [] }
  const options = { limits: { ...defaultLimits, ...limits }, clock, log }
  const place = address ?? `tcp://127.0.0.1:${await freePort()}`
  return tcpTransport.listen(place, createDispatcher([service], stack), options)
}

/** Connects to whatever listens there. */
export function dialTcp(
  address: string,
  limits: Partial<Limits> = {},
  events: ConnectionEvents = {},
): Promise<Connection> {
  return tcpTransport.connect(address, {
    limits: { ...defaultLimits, ...limits },
    clock,
    ...events,
  })
}

/** The functions of a contract over one connection. */
export function clientOver<C extends Contract>(contract: C, connection: Connection): Client<C> {
  const invoke = compose(clientStack({ wheel: lineWheel, middleware: [] }), connection.invoke)
  return contractClient(contract, { clock, invoke, currentCall })
}
