import { parseHttpUrl } from '../transport/http/wire.ts'
import { parseSocketUrl } from '../transport/tcp/wire.ts'
import { parseTlsUrl } from '../transport/tls/wire.ts'
import type { Transport } from '../transport/transport.ts'

/**
 * Checks the address of a client: `tcp://host:port`, `tls://host:port`, `unix:/path`, `http://host:port`,
 * `https://host:port`, `memory:name`, or one of a transport that the runtime was given.
 * @throws TypeError naming what is wrong and what is possible
 */
export function parseTarget(target: string, transports: readonly Transport[] = []): void {
  const scheme = target.slice(0, target.indexOf(':'))
  const given = transports.find(({ protocol }) => protocol === scheme)
  if (given !== undefined) return given.check(target)
  if (target.startsWith('memory:') && target.length > 'memory:'.length) return
  if (target.startsWith('tls:')) parseTlsUrl(target)
  else if (/^https?:/.test(target)) parseHttpUrl(target)
  else parseSocketUrl(target)
}
