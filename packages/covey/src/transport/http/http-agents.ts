import { Agent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { TlsCredentials } from '../tls/tls-credentials.ts'
import { SecureAgent } from './secure-agent.ts'
import type { HttpTarget } from './wire.ts'

/** The sockets to one server. */
export interface HttpAgents {
  /** Of calls with one input and one result. */
  readonly calls: Agent
  /** Of streams, each of which has a socket as long as it lasts. */
  readonly streams: Agent
}

/**
 * Most sockets with TLS for calls without streams; further calls wait for one of them. A handshake takes both sides some milliseconds,
 * and a server lets 256 go on at once, so a thousand calls at once had better not begin a thousand.
 */
const maxSecureSockets = 64

/** @param credentials for https; without them the authorities of the system count */
export function agentsFor(
  { protocol }: HttpTarget,
  credentials: TlsCredentials | undefined,
): HttpAgents {
  const wishes = { keepAlive: true, maxFreeSockets: 256 }
  if (protocol === 'http') {
    const agent = new Agent(wishes)
    return { calls: agent, streams: agent }
  }
  const make = (options: typeof wishes & { maxSockets?: number }) =>
    credentials === undefined ? new HttpsAgent(options) : new SecureAgent(credentials, options)
  return { calls: make({ ...wishes, maxSockets: maxSecureSockets }), streams: make(wishes) }
}

/** Closes all sockets. */
export function destroyAgents({ calls, streams }: HttpAgents): void {
  calls.destroy()
  streams.destroy()
}
