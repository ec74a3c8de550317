import { CoveyError } from '../error/covey-error.ts'
import type { FrameworkSettings } from '../settings/framework-settings.ts'
import { httpUrl } from '../transport/http/wire.ts'
import type { Authenticate } from '../transport/transport.ts'
import { requireSecureBind } from './require-secure-bind.ts'

/** What the other ports of a process demand, and what is known of who asks over HTTP. */
export interface HttpPortGuards {
  /** Peers prove a key there. */
  readonly keys: boolean
  /** Peers prove who they are by a certificate there. */
  readonly tls: boolean
  readonly authenticate: Authenticate | undefined
}

/**
 * Where calls over HTTP are taken; undefined if the settings ask for no such port.
 * @throws CoveyError `INVALID_SETTINGS`, `START_FAILED` if the port would be open to those whom the other ports refuse
 */
export function httpPortAddress(
  { host: rpcHost, http, allowInsecure }: FrameworkSettings,
  { keys, tls, authenticate }: HttpPortGuards,
): string | undefined {
  const { host = rpcHost, port, tls: secured = tls } = http
  if (port === undefined) return undefined
  if (secured && !tls) {
    throw invalid('covey.http.tls: set covey.tls (cert, key and ca) as well')
  }
  if ((keys || tls) && !secured && authenticate === undefined) {
    const what = tls
      ? 'certificates cannot be proved without TLS'
      : 'keys cannot be proved over HTTP'
    throw invalid(`covey.http.port: ${what}; give createApp http.authenticate`)
  }
  requireSecureBind(host, { keys: false, tls: secured, allowInsecure }, 'covey.http.host')
  return httpUrl(host, port, secured ? 'https' : 'http')
}

function invalid(message: string): CoveyError {
  return new CoveyError('INVALID_SETTINGS', message)
}
