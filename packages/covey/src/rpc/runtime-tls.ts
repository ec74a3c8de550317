import type { Clock } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import { createHttpsTransport } from '../transport/http/http-transport.ts'
import type { TlsCredentials } from '../transport/tls/tls-credentials.ts'
import { openTlsFiles, type TlsFiles, type TlsPaths } from '../transport/tls/tls-files.ts'
import { createTlsTransport } from '../transport/tls/tls-transport.ts'
import type { Transport } from '../transport/transport.ts'

/** The TLS of a runtime: its transports, and the files behind them. */
export interface RuntimeTls {
  readonly transport: Transport
  readonly https: Transport
  close(): Promise<void>
}

/** Files are read at the first use, and followed until it is closed. */
export function createRuntimeTls(
  source: TlsCredentials | TlsPaths,
  options: { readonly clock: Clock; readonly log: Log },
): RuntimeTls {
  if ('onChange' in source) return { ...transportsOf(async () => source), close: async () => {} }
  let opened: Promise<TlsFiles> | undefined
  const open = () => {
    opened ??= openTlsFiles(source, options).catch((error) => {
      // Files that are put right later are read then.
      opened = undefined
      throw error
    })
    return opened
  }
  return {
    ...transportsOf(open),
    async close() {
      const files = await opened?.catch(() => undefined)
      await files?.close()
    },
  }
}

function transportsOf(credentials: () => Promise<TlsCredentials>): Omit<RuntimeTls, 'close'> {
  return {
    transport: createTlsTransport(credentials),
    https: createHttpsTransport(credentials),
  }
}
