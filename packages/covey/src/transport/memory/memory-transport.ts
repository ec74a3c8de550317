import { CoveyError } from '../../error/covey-error.ts'
import type { Transport } from '../transport.ts'
import { connectMemory } from './client.ts'
import { createMemoryServer, type MemoryServer } from './server.ts'

/**
 * Connections within this process, by names of its own: `memory:users`. Two transports made here do not see
 * each other.
 */
export function createMemoryTransport(): Transport {
  const servers = new Map<string, MemoryServer>()
  return {
    protocol: 'memory',
    check() {},
    async connect(address, options) {
      const server = servers.get(address)
      if (server === undefined) {
        throw new CoveyError('UNAVAILABLE', `${address}: nobody listens there in this process`)
      }
      return connectMemory(server, options)
    },
    async listen(address, dispatcher, options) {
      if (servers.has(address)) {
        throw new CoveyError('ADDRESS_IN_USE', `${address} is in use in this process`)
      }
      const server = createMemoryServer(address, dispatcher, options, () => servers.delete(address))
      servers.set(address, server)
      return server
    },
  }
}
