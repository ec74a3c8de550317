import type { Transport } from '../transport.ts'
import { connectTcp } from './client.ts'
import { listenTcp } from './server.ts'
import { parseSocketUrl } from './wire.ts'

/** Frames over TCP (`tcp://host:port`). */
export const tcpTransport: Transport = {
  protocol: 'tcp',
  check: parseSocketUrl,
  connect: connectTcp,
  listen: listenTcp,
}

/** The same over a unix socket (`unix:/path`), for processes of one machine. */
export const unixTransport: Transport = {
  protocol: 'unix',
  check: parseSocketUrl,
  connect: connectTcp,
  listen: listenTcp,
}
