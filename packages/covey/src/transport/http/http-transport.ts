import type { TlsCredentials } from '../tls/tls-credentials.ts'
import type { Transport } from '../transport.ts'
import { connectHttp } from './client.ts'
import { listenHttp } from './server.ts'
import { parseHttpUrl } from './wire.ts'

/** Calls as requests of HTTP/1.1 (`http://host:port`), for other languages and through what only lets HTTP pass. */
export const httpTransport: Transport = {
  protocol: 'http',
  check: parseHttpUrl,
  connect: (address, options) => connectHttp(address, options),
  listen: listenHttp,
}

/**
 * The same over TLS 1.3 (`https://host:port`).
 * @param credentials what gets them at the first use. Without them it only connects, to servers that the authorities of the system
 *   have signed, and shows no certificate of its own
 */
export function createHttpsTransport(credentials?: () => Promise<TlsCredentials>): Transport {
  return {
    protocol: 'https',
    check: parseHttpUrl,
    async connect(address, options) {
      return connectHttp(address, options, await credentials?.())
    },
    async listen(address, dispatcher, options) {
      return listenHttp(address, dispatcher, { ...options, credentials: await credentials?.() })
    },
  }
}
