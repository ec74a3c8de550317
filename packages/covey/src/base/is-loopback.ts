/**
 * Whether a host, of an address to listen on or of a URL, means this machine alone: 127.0.0.0/8, ::1, the same in another form, or
 * their name.
 */
export function isLoopback(host: string): boolean {
  const plain = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:/, '')
  if (plain === 'localhost' || plain === '::1' || plain === '0:0:0:0:0:0:0:1') return true
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain)
}
