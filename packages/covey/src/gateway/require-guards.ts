import { isLoopback } from '../base/is-loopback.ts'
import { CoveyError } from '../error/covey-error.ts'
import type { GatewayOptions } from './gateway-options.ts'

/**
 * Refuses a gateway that other machines reach while passwords travel as they are, or everybody may call.
 * @throws CoveyError `INVALID_SETTINGS` that says what to give
 */
export function requireGuards({
  host = '127.0.0.1',
  tls,
  authenticate,
  services,
  allowInsecure = false,
}: GatewayOptions): void {
  if (isLoopback(host) || allowInsecure) return
  const missing: string[] = []
  if (tls === undefined)
    missing.push('tls: { cert, key }, or tls: "proxy" behind one that speaks TLS')
  if (authenticate === undefined && services.length > 0) missing.push('authenticate')
  if (missing.length === 0) return
  const message = `the gateway at ${host} can be reached from other machines: give it ${missing.join(' and ')}, or allowInsecure: true where the network lets nobody else in`
  throw new CoveyError('INVALID_SETTINGS', message)
}
