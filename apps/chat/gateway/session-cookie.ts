const name = 'chat_session'

/** The token in a `Cookie` header, or undefined. */
export function readSessionCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const at = part.indexOf('=')
    if (part.slice(0, at).trim() === name) return part.slice(at + 1).trim() || undefined
  }
  return undefined
}

/**
 * The `Set-Cookie` that keeps a token where no script can read it and no other site can use it.
 * @param maxAgeMs how long the browser keeps it
 * @param secure whether it may only travel by https
 */
export function sessionCookie(token: string, maxAgeMs: number, secure: boolean): string {
  const seconds = Math.max(0, Math.floor(maxAgeMs / 1_000))
  const attributes = `Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`
  return `${name}=${token}; ${attributes}${secure ? '; Secure' : ''}`
}

/** The `Set-Cookie` that takes it away. */
export function noSessionCookie(secure: boolean): string {
  return sessionCookie('', 0, secure)
}
