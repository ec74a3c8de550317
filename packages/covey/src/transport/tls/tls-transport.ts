import type { Transport } from '../transport.ts'
import { connectTls } from './client.ts'
import { listenTls } from './server.ts'
import type { TlsCredentials } from './tls-credentials.ts'

/** Frames over TLS 1.3 with certificates on both sides (`tls://host:port`). */
export function createTlsTransport(credentials: TlsCredentials): Transport {
  return {
    protocol: 'tls',
    connect: (address, options) => connectTls(address, credentials, options),
    listen: (address, dispatcher, options) => listenTls(address, credentials, dispatcher, options),
  }
}
