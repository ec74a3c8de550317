import type { Transport } from '../transport.ts'
import { connectTcp } from './client.ts'
import { listenTcp } from './server.ts'

/** Frames over TCP (`tcp://host:port`). */
export const tcpTransport: Transport = {
  protocol: 'tcp',
  connect: connectTcp,
  listen: listenTcp,
}

/** The same over a unix socket (`unix:/path`), for processes of one machine. */
export const unixTransport: Transport = {
  protocol: 'unix',
  connect: connectTcp,
  listen: listenTcp,
}
