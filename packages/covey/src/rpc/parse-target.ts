import { parseHttpUrl } from '../transport/http/wire.ts'
import { parseSocketUrl } from '../transport/tcp/wire.ts'
import { parseTlsUrl } from '../transport/tls/wire.ts'

/**
 * Checks the address of a client: `tcp://host:port`, `tls://host:port`, `unix:/path`, `http://host:port`,
 * `https://host:port`, `memory:name`.
 * @throws TypeError naming what is wrong and what is possible
 */
export function parseTarget(target: string): void {
  if (target.startsWith('memory:') && target.length > 'memory:'.length) return
  if (target.startsWith('tls:')) parseTlsUrl(target)
  else if (/^https?:/.test(target)) parseHttpUrl(target)
  else parseSocketUrl(target)
}
