import { CoveyError } from '../error/covey-error.ts'
import type { Runtime } from '../rpc/runtime.ts'
import type { FrameworkSettings } from '../settings/framework-settings.ts'
import type { RpcDoorOptions } from '../transport/http/call-desk.ts'
import { tcpUrl } from '../transport/tcp/wire.ts'
import { tlsUrl } from '../transport/tls/wire.ts'
import type { Authenticate, Listener } from '../transport/transport.ts'
import { httpPortAddress } from './http-port.ts'
import { requireSecureBind } from './require-secure-bind.ts'

/** Where an application listens, and how. */
export interface OpenListenersOptions {
  readonly runtime: Pick<Runtime, 'demandsKey' | 'tls' | 'transport'>
  readonly settings: FrameworkSettings
  /** Turns the bearer token of a request over HTTP into who asks. */
  readonly authenticate: Authenticate | undefined
  /** Takes calls at an address. */
  listen(address: string, more?: Partial<RpcDoorOptions>): Promise<Listener>
  /** Told of each one at once, so that it is closed again when a later one fails. */
  opened(listener: Listener): void
}

/** Have settings of their own, by which strangers are kept out. */
const ports: readonly string[] = ['tcp', 'tls', 'http', 'https', 'memory']

/**
 * Listens where the settings say: the port for calls first, then those for HTTP and the other addresses.
 * @throws CoveyError `INVALID_SETTINGS`, `ADDRESS_IN_USE`, `START_FAILED`
 */
export async function openListeners(options: OpenListenersOptions): Promise<readonly Listener[]> {
  const { settings, authenticate, opened } = options
  const listeners: Listener[] = []
  const open = async (address: string, more?: Partial<RpcDoorOptions>) => {
    const listener = await options.listen(address, more)
    opened(listener)
    listeners.push(listener)
  }
  await open(portAddress(options))
  const { demandsKey, tls } = options.runtime
  const http = httpPortAddress(settings, { keys: demandsKey, tls, authenticate })
  if (http !== undefined) await open(http, { authenticate, dora: settings.http.dora })
  for (const address of settings.listen) {
    requireOther(address, options.runtime)
    await open(address)
  }
  return listeners
}

function portAddress({ runtime, settings }: OpenListenersOptions): string {
  const { host, port, allowInsecure } = settings
  const { demandsKey, tls } = runtime
  requireSecureBind(host, { keys: demandsKey, tls, allowInsecure })
  return (tls ? tlsUrl : tcpUrl)(host, port)
}

function requireOther(address: string, runtime: Pick<Runtime, 'transport'>): void {
  const [scheme] = address.split(':', 1)
  if (!ports.includes(scheme!)) return checkAddress(address, runtime)
  const fix =
    'set covey.host and covey.port, or covey.http.port; listen is for unix:/path and transports of your own'
  throw new CoveyError('INVALID_SETTINGS', `covey.listen "${address}": ${fix}`)
}

function checkAddress(address: string, runtime: Pick<Runtime, 'transport'>): void {
  try {
    runtime.transport(address).check(address)
  } catch (cause) {
    const message = `covey.listen: ${(cause as Error).message}`
    throw new CoveyError('INVALID_SETTINGS', message, { cause })
  }
}
