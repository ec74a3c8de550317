import { createHash } from 'node:crypto'

/** The id of the conversation of two users: the same whoever opens it, however often, at whatever moment. */
export function directId(a: string, b: string): string {
  const pair = [a, b].sort().join('\n')
  return `c_${createHash('sha256').update(`direct\n${pair}`).digest('base64url')}`
}
