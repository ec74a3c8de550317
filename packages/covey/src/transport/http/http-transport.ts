import type { Transport } from '../transport.ts'
import { connectHttp } from './client.ts'
import { listenHttp } from './server.ts'

/** Calls as requests of HTTP/1.1 (`http://host:port`), for other languages and through what only lets HTTP pass. */
export const httpTransport: Transport = {
  protocol: 'http',
  connect: connectHttp,
  listen: listenHttp,
}
