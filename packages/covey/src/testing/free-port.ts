import { createServer } from 'node:net'

/**
 * A TCP port of 127.0.0.1 that nobody listens on, between 20,000 and 31,999: below the range from which
 * systems take the ports of outgoing connections, so that a client cannot meet itself.
 * @throws Error if 100 tries find none
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
  throw new Error('no free port between 20000 and 31999 on 127.0.0.1')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
