/**
 * What counts as one address where addresses are limited: an IPv4 address, also in its form of IPv6, and of IPv6 the first 64 bits, for
 * whoever has one address of such a network has them all.
 * @param address as Node says it: `192.0.2.1`, `::ffff:192.0.2.1`, `2001:db8::1`
 * @returns `192.0.2.1`, `2001:db8:0:0::/64`
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  const [head = '', tail = ''] = address.split('%', 1)[0]!.split('::', 2)
  const first = head === '' ? [] : head.split(':')
  const last = tail === '' ? [] : tail.split(':')
  // An IPv4 address at the end, as in 64:ff9b::192.0.2.1, stands for two groups.
  const dotted = last.at(-1)?.includes('.') ? 1 : 0
  const left = Math.max(0, 8 - first.length - last.length - dotted)
  const groups = address.includes('::')
    ? [...first, ...Array.from({ length: left }, () => '0'), ...last]
    : first
  return `${groups.slice(0, 4).join(':')}::/64`
}
