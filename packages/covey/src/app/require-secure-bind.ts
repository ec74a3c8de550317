import { isLoopback } from '../base/is-loopback.ts'
import { CoveyError } from '../error/covey-error.ts'

/** What stands between strangers and an application. */
export interface BindGuards {
  /** Every peer proves a key; not where it is only offered. */
  readonly keys: boolean
  /** Peers prove who they are by a certificate. */
  readonly tls: boolean
  /** The setting that says: the network itself is trusted. */
  readonly allowInsecure: boolean
}

const guardByKeys = 'set covey.keys or covey.tls (docs/security.md), or'

/** Over HTTP without TLS a token would be seen by everybody on the way. */
const guardByProxy =
  'set covey.tls (docs/security.md), or leave it on this machine behind a proxy that speaks TLS, or set'

/**
 * Refuses to listen where other machines may connect and nobody asks who they are.
 * @param setting which one says `host`
 * @throws CoveyError `INVALID_SETTINGS` that says what to set
 */
export function requireSecureBind(
  host: string,
  guards: BindGuards,
  setting: 'covey.host' | 'covey.http.host' = 'covey.host',
): void {
  if (isLoopback(host) || guards.keys || guards.tls || guards.allowInsecure) return
  const guard = setting === 'covey.host' ? guardByKeys : guardByProxy
  const message = `${setting} ${host} can be reached from other machines, and any of them could call: ${guard} covey.allowInsecure: true where the network lets nobody else in`
  throw new CoveyError('INVALID_SETTINGS', message)
}
