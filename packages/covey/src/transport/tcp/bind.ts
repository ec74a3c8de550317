import type { AddressInfo, Server } from 'node:net'
import { CoveyError } from '../../error/covey-error.ts'
import { listenError } from '../session/listen-error.ts'

/**
 * Lets a server listen at a host and port; port 0 finds a free one.
 * @param toUrl makes the URL of an address, for the result and for messages
 * @returns where it listens
 * @throws CoveyError `ADDRESS_IN_USE`
 */
export async function bind(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  toUrl: (host: string, port: number) => string,
): Promise<string> {
  if (port === 0) await bindFreePort(server, host, toUrl)
  else await listen(server, () => server.listen(port, host), toUrl(host, port))
  const bound = server.address() as AddressInfo
  return toUrl(bound.address, bound.port)
}

/**
 * Tries ports below those that systems give to outgoing connections (from 32,768 on Linux): a client that tries to reach
 * a dead server at one of those can be given that very port, and meet itself.
 */
async function bindFreePort(
  server: Server,
  host: string,
  toUrl: (host: string, port: number) => string,
): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    try {
      return await listen(server, () => server.listen(port, host), toUrl(host, port))
    } catch (error) {
      if (!(error instanceof CoveyError) || error.code !== 'ADDRESS_IN_USE') throw error
    }
  }
  await listen(server, () => server.listen(0, host), toUrl(host, 0))
}

/** Begins to listen by `start` and waits until it does. @throws CoveyError `ADDRESS_IN_USE` for `address` */
export function listen(server: Server, start: () => void, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = () => {
      server.off('error', onError)
      resolve()
    }
    const onError = (cause: NodeJS.ErrnoException) => {
      server.off('listening', onListening)
      reject(listenError(address, cause))
    }
    server.once('error', onError)
    server.once('listening', onListening)
    start()
  })
}
