import { isLoopback } from '../base/is-loopback.ts'

/** Which names a gateway answers to. */
export interface HostRules {
  /** The address it listens on. */
  readonly host: string
  /** Names beside its own; undefined for all where others reach it, and for none where it is of this machine alone. */
  readonly hosts: readonly string[] | undefined
  /** Origins whose pages may call; their hosts are names of the gateway as well. */
  readonly origins: readonly string[]
  /** Whether a proxy in front of it has looked at the name. */
  readonly proxied: boolean
}

/**
 * Whether a request was meant for this gateway, by its `host` header. A page can have its own name resolved to an address of
 * yours; the browser takes it for a page of this gateway then, and only the name tells that it is none (DNS rebinding).
 */
export function allowHost({
  host,
  hosts,
  origins,
  proxied,
}: HostRules): (header: string | undefined) => boolean {
  if (hosts === undefined && (proxied || !isLoopback(host))) return () => true
  const own = [
    host,
    ...(hosts ?? []),
    ...origins.filter((origin) => URL.canParse(origin)).map((origin) => new URL(origin).host),
  ]
  const names = new Set(own.map(nameOf))
  return (header) => {
    if (header === undefined) return false
    const name = nameOf(header)
    return names.has(name) || (isLoopback(host) && isLoopback(name))
  }
}

/** Without the port: whoever has the name has all its ports. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/^(\[.*\]|[^:]*):\d+$/, '$1')
}
