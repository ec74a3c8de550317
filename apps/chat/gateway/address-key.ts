import { isIPv6 } from 'node:net'

/**
 * The part of an address that belongs to one customer: all of IPv4, the first 64 bits of IPv6, of which everybody has
 * as many addresses as they like.
 */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16) || 0)
  return groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')
}
