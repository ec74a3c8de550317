import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Peer } from '../../call/peer.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { certificateProblem } from '../tls/secure-server.ts'
import type { TlsCredentials } from '../tls/tls-credentials.ts'
import { socketIdentity } from '../tls/wire.ts'

let connectionsMade = 0

/** Who is at the other end of a connection, the same for all of its requests. */
export class HttpPeer {
  readonly peer: Peer
  /** Why its certificate is not believed. A client without one is not refused for that. */
  readonly refused: CoveyError | undefined

  constructor(socket: Socket, instance: string, credentials: TlsCredentials | undefined) {
    connectionsMade += 1
    const secured = credentials !== undefined && socket instanceof TLSSocket ? socket : undefined
    this.refused = secured && certificateProblem(secured, credentials!)
    const believed = this.refused === undefined ? secured : undefined
    this.peer = {
      protocol: secured === undefined ? 'http' : 'https',
      address: `${socket.remoteAddress}:${socket.remotePort}`,
      connectionId: `${instance}/http-${connectionsMade}`,
      identity: believed && socketIdentity(believed),
    }
  }
}
