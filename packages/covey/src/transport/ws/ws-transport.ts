import type { Transport } from '../transport.ts'
import { connectWs } from './client.ts'
import { listenWs } from './server.ts'

/** Frames over WebSocket (`ws://host:port/path`). */
export const wsTransport: Transport = {
  protocol: 'ws',
  check: (address) => void new URL(address),
  connect: connectWs,
  listen: listenWs,
}
