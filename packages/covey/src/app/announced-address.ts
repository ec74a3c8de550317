import { networkInterfaces } from 'node:os'

/** Addresses of this machine, as `os.networkInterfaces()` gives them. */
export type Interfaces = ReturnType<typeof networkInterfaces>

/** Hosts that stand for all addresses of a machine. */
const everywhere = ['0.0.0.0', '[::]']

/**
 * The URL that callers are told. A listener at `0.0.0.0` or `::` is reached at every address of the machine, but nobody can call those
 * two; the first address that is not its own loopback takes their place, IPv4 before IPv6.
 * @param address where it listens
 * @param advertise the host that callers are to use, if somebody said
 */
export function announcedAddress(
  address: string,
  advertise: string | undefined,
  interfaces: Interfaces = networkInterfaces(),
): string {
  const match = /^([a-z]+:\/\/)(.+)(:\d+)$/.exec(address)
  if (match === null) return address
  const [, scheme, host = '', port] = match
  if (advertise !== undefined) return `${scheme}${bracketed(advertise)}${port}`
  if (!everywhere.includes(host)) return address
  return `${scheme}${bracketed(firstReachable(interfaces) ?? '127.0.0.1')}${port}`
}

function firstReachable(interfaces: Interfaces): string | undefined {
  const all = Object.values(interfaces).flatMap((list) => list ?? [])
  // Addresses of a link alone mean nothing without the name of the link.
  const usable = all.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
