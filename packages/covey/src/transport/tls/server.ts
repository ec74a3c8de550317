import { createServer, type TLSSocket } from 'node:tls'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { rareWarning } from '../../observe/rare-warning.ts'
import { createListener } from '../create-listener.ts'
import { SessionSet } from '../session/session-set.ts'
import { bind } from '../tcp/bind.ts'
import { limitAccept } from '../tcp/limit-accept.ts'
import type { Dispatcher, Listener, ListenOptions } from '../transport.ts'
import {
  certificateMissing,
  certificateProblem,
  guardHandshakes,
  secureServerOptions,
} from './secure-server.ts'
import { type TlsCredentials, tlsProtocol } from './tls-credentials.ts'
import { parseTlsUrl, tlsPipe, tlsUrl } from './wire.ts'

/** Time between two lines of the log about clients that were refused, in milliseconds. */
const quietMs = 10_000

/**
 * Takes connections at `tls://host:port` (port 0 finds a free one) from peers whose certificate its authorities have signed.
 * New credentials are used for the connections that follow; those that are open go on.
 * @throws CoveyError `ADDRESS_IN_USE`
 */
export async function listenTls(
  address: string,
  credentials: TlsCredentials,
  dispatcher: Dispatcher,
  options: ListenOptions,
): Promise<Listener> {
  const target = parseTlsUrl(address)
  const sessions = new SessionSet(dispatcher, options)
  const warn = rareWarning(options.log, options.clock, quietMs)
  const server = createServer({
    ...secureServerOptions(credentials, options.limits, tlsProtocol),
    noDelay: true,
  })
  const gate = guardHandshakes(server, credentials, options)
  server.on('secureConnection', (socket) => {
    const setupMs = gate.leave(socket)
    const refused = certificateProblem(socket, credentials) ?? certificateMissing(socket)
    if (refused !== undefined) {
      warn({ address: socket.remoteAddress, err: refused }, 'a client was refused')
      return turnAway(socket, refused, options)
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    sessions.add(tlsPipe(socket, peer, options.limits, setupMs))
  })
  const url = await bind(server, target, tlsUrl)
  limitAccept(server, options)
  const close = (done: () => void) => {
    server.close(done)
    gate.close()
  }
  return createListener(url, { close }, sessions)
}

/** Says why and hangs up; one that does not listen is cut off. */
function turnAway(socket: TLSSocket, reason: CoveyError, { limits, clock }: ListenOptions): void {
  const writer = new FrameWriter(limits.maxFrameBytes)
  writer.frame(frameType.error, 0, 0, (out) => out.text(JSON.stringify(reason.toData())))
  socket.on('error', () => {})
  socket.end(writer.take())
  const timer = clock.after(limits.connectMs, () => socket.destroy())
  socket.once('close', () => timer.stop())
  socket.resume()
}
