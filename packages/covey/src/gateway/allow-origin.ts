import type { IncomingMessage } from 'node:http'

/**
 * Which pages may connect: those the gateway served itself, and those of `origins`. Requests without an origin do not
 * come from a page.
 */
export function allowOrigin(origins: readonly string[]) {
  const allowed = new Set(origins)
  return (origin: string | undefined, { headers }: Pick<IncomingMessage, 'headers'>): boolean => {
    if (origin === undefined || allowed.has(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === headers.host
  }
}
