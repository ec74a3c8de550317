import type { CoveyError } from './covey-error.ts'

// What an error says about being repeated, in its details. Whoever refuses a call may say when it may come again; whoever has
// repeated a call in vain says so, and nobody above it does it once more.

/**
 * Milliseconds before which the call should not be sent again: `details.retryAfterMs`. 0 means that it may be at once, below 0
 * that it should not be at all. Undefined where the error does not say.
 */
export function retryAfterMs({ details }: CoveyError): number | undefined {
  const ms = field(details, 'retryAfterMs')
  return typeof ms === 'number' && !Number.isNaN(ms) ? ms : undefined
}

/** How often the call was sent by somebody who has given up repeating it: `details.attempts`. */
export function attemptsOf({ details }: CoveyError): number | undefined {
  const attempts = field(details, 'attempts')
  return typeof attempts === 'number' ? attempts : undefined
}

function field(details: unknown, name: string): unknown {
  if (typeof details !== 'object' || details === null) return undefined
  return Object.hasOwn(details, name) ? (details as Record<string, unknown>)[name] : undefined
}
