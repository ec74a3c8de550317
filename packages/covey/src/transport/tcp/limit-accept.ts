import type { Server, Socket } from 'node:net'
import { isLoopback } from '../../base/is-loopback.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import { addressGroup } from '../address-group.ts'
import { AddressShares } from '../address-shares.ts'
import type { ListenOptions } from '../transport.ts'
import { ConnectRate } from './connect-rate.ts'
import { processHandles } from './handle-account.ts'
import { RefusalLog } from './refusal-log.ts'

/** Time between two lines of the log about connections that were refused, in milliseconds. */
const quietMs = 60_000

/** What a listener says about its connections. */
export interface AcceptOptions extends Pick<ListenOptions, 'limits' | 'log' | 'clock'> {
  /** Its clients come through a proxy, which has one address for all of them. Default false. */
  readonly proxied?: boolean
  /** Refuses a connection in words that its client understands. Default: it is closed at once. */
  readonly refuse?: (socket: Socket) => void
}

/**
 * Bounds the connections of a server that listens: by `maxConnections`, by the file handles that this process may still open, and
 * by the address they come from. Those beyond are refused before anybody else sees them, which the log says once a minute.
 * To be called when all listeners of `connection` are there.
 */
export function limitAccept(server: Server, options: AcceptOptions): void {
  const { limits, log, clock, refuse = close } = options
  const { maxConnections } = limits
  server.maxConnections = maxConnections
  const warn = rareWarning(log, clock, quietMs)
  const message = 'connections are refused: too many are open'
  server.on('drop', () => warn({ maxConnections }, message))
  // Of the listening socket, which goes on and takes connections again when there are handles.
  server.on('error', (err) => warn({ maxConnections, err }, message))
  const onlyHere = typeof server.address() === 'string'
  const refusal = onlyHere || options.proxied ? undefined : limitByAddress(options)
  screenConnections(server, (socket) => {
    if (!processHandles.admits(socket, clock.monotonicMs())) {
      processHandles.warn(log, clock.monotonicMs())
      socket.destroy()
      return false
    }
    if (refusal?.(socket) !== true) return true
    refuse(socket)
    return false
  })
}

/** Lets only those connections through to the listeners that are there for which `admits` says so. */
function screenConnections(server: Server, admits: (socket: Socket) => boolean): void {
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!admits(socket)) return
    for (const listener of listeners) listener.call(server, socket)
  })
}

/** @returns whether a connection is refused for where it comes from; this machine itself may open as many as it likes */
function limitByAddress({ limits, log, clock }: AcceptOptions): (socket: Socket) => boolean {
  const { maxConnections, maxConnectsPerSecond, maxConnectBurst } = limits
  const rate = new ConnectRate(maxConnectsPerSecond, maxConnectBurst)
  const shares = new AddressShares(maxConnections)
  const refusals = new RefusalLog(log, clock)
  return (socket) => {
    const { remoteAddress } = socket
    // It is gone already, or of this machine.
    if (remoteAddress === undefined || isLoopback(remoteAddress)) return false
    const group = addressGroup(remoteAddress)
    if (!rate.take(group, clock.monotonicMs())) {
      const why = `more than ${maxConnectsPerSecond} a second came from one address, and ${maxConnectBurst} at once`
      refusals.refused(group, why)
      return true
    }
    if (shares.full(group)) {
      refusals.refused(group, `one address has half of the ${maxConnections} that may be open`)
      return true
    }
    shares.add(group)
    socket.on('close', () => shares.remove(group))
    return false
  }
}

function close(socket: Socket): void {
  socket.destroy()
}
