import { once } from 'node:events'
import { createServer } from 'node:net'

const firstPort = 20_000
const lastPort = 32_000
const maxAttempts = 50

/**
 * A port of 127.0.0.1 that was free a moment ago, found by listening on it. Stays below 32768,
 * where Linux begins to hand out ports to outgoing connections, so that none of those takes it
 * before its server does.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    if (await canListen(port)) return port
  }
  throw new Error(`no free port found between ${firstPort} and ${lastPort}`)
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
