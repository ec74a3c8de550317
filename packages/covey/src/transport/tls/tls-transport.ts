import type { Transport } from '../transport.ts'
import { connectTls } from './client.ts'
import { listenTls } from './server.ts'
import type { TlsCredentials } from './tls-credentials.ts'
import { parseTlsUrl } from './wire.ts'

/**
 * Frames over TLS 1.3 with certificates on both sides (`tls://host:port`).
 * @param source the credentials, or what gets them at the first use
 */
export function createTlsTransport(
  source: TlsCredentials | (() => Promise<TlsCredentials>),
): Transport {
  const credentials = typeof source === 'function' ? source : async () => source
  return {
    protocol: 'tls',
    check: parseTlsUrl,
    async connect(address, options) {
      return connectTls(address, await credentials(), options)
    },
    async listen(address, dispatcher, options) {
      return listenTls(address, await credentials(), dispatcher, options)
    },
  }
}
