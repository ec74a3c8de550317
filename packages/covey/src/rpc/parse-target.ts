import { parseSocketUrl } from '../transport/tcp/wire.ts'

/**
 * Checks the address of a client: `tcp://host:port`, `unix:/path`, `memory:name`.
 * @throws TypeError naming what is wrong and what is possible
 */
export function parseTarget(target: string): void {
  if (target.startsWith('memory:') && target.length > 'memory:'.length) return
  parseSocketUrl(target)
}
