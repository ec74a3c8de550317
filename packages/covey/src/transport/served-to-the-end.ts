import type { MethodRef } from '../call/method-ref.ts'

/**
 * Methods that an instance answers until its last connection is closed, also behind a `goAway`: what became of the work it has
 * accepted is known nowhere else, and how it is one wants to know just then. Part of the protocol: `docs/protocol.md`.
 */
export function servedToTheEnd({ path }: Pick<MethodRef, 'path'>): boolean {
  return path === 'covey.results.collect' || path === 'covey.health.check'
}
