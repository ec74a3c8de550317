import type { X509Certificate } from 'node:crypto'
import type { Identity } from '../../call/peer.ts'

const spiffePattern = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/

/**
 * Who a certificate belongs to: its SPIFFE id when it has exactly one, else its first DNS name, else its common name. Claims: `issuer`,
 * `serialNumber`, `notAfter` and, of a SPIFFE id, `trustDomain`.
 * Source: the SPIFFE standard, X509-SVID, sections 2 and 4.
 */
export function certificateIdentity(certificate: X509Certificate): Identity | undefined {
  const names = subjectNames(certificate)
  const spiffe = spiffeId(names)
  const subject = spiffe?.id ?? first(names, 'DNS:') ?? commonName(certificate)
  if (subject === undefined) return undefined
  const { issuer, serialNumber, validTo } = certificate
  const claims = { issuer, serialNumber, notAfter: new Date(validTo).toISOString() }
  return {
    subject,
    claims: spiffe === undefined ? claims : { ...claims, trustDomain: spiffe.trustDomain },
  }
}

/** Trust domain of a certificate; undefined when it has no SPIFFE id, or more than one. */
export function trustDomainOf(certificate: X509Certificate): string | undefined {
  return spiffeId(subjectNames(certificate))?.trustDomain
}

/** Node separates names by comma and blank, and quotes those that contain such a thing themselves. */
function subjectNames({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return subjectAltName.split(', ').filter((name) => !name.includes('"'))
}

function spiffeId(names: readonly string[]): { id: string; trustDomain: string } | undefined {
  const uris = names.filter((name) => name.startsWith('URI:'))
  const match = uris.length === 1 ? spiffePattern.exec(uris[0]!.slice(4)) : null
  return match === null ? undefined : { id: match[0], trustDomain: match[1]! }
}

function first(names: readonly string[], kind: string): string | undefined {
  return names.find((name) => name.startsWith(kind))?.slice(kind.length)
}

function commonName({ subject }: X509Certificate): string | undefined {
  return /(?:^|\n)CN=(.+)/.exec(subject)?.[1]
}
