import { CoveyError } from '../../error/covey-error.ts'

/** A record of TLS: an alert, or a handshake, of version 3. */
const tlsRecord = ['\x15\x03', '\x16\x03']
const printable = /^[\x20-\x7e\r\n]{4}$/

/**
 * Who speaks another protocol is heard as a frame of absurd size: its first four bytes are read as a length. Says what they
 * are, where that can be told; undefined for any other error.
 */
export function foreignProtocol({ code, details }: CoveyError): CoveyError | undefined {
  const { bytes } = (details ?? {}) as { bytes?: unknown }
  if (code !== 'MESSAGE_TOO_LARGE' || typeof bytes !== 'number') return undefined
  const start = String.fromCharCode(...[24, 16, 8, 0].map((shift) => (bytes >>> shift) & 0xff))
  const it = whatItIs(start)
  if (it === undefined) return undefined
  return new CoveyError('PROTOCOL_ERROR', `what answers is no Covey server: it ${it}`)
}

function whatItIs(start: string): string | undefined {
  if (start === 'HTTP')
    return 'speaks HTTP; if it takes calls over HTTP, use an address with http://'
  if (tlsRecord.includes(start.slice(0, 2))) return 'speaks TLS; use an address with tls://'
  return printable.test(start) ? `begins with ${JSON.stringify(start)}` : undefined
}
