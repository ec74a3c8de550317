import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What a test certificate says. */
export interface TestCertificateOptions {
  /** Name for people. Default `test`. */
  readonly commonName?: string
  /** SPIFFE id: `spiffe://fleet.test/users`. */
  readonly spiffe?: string
  readonly dns?: readonly string[]
  /** IPv4 addresses. */
  readonly ips?: readonly string[]
  /** Default: an hour ago. */
  readonly notBefore?: Date
  /** Default: in a day. */
  readonly notAfter?: Date
}

/** A certificate and its key, in PEM. */
export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** A certificate authority that lives as long as a test. */
export interface TestAuthority {
  /** Its own certificate, in PEM. */
  readonly ca: string
  /** Makes a certificate signed by it. */
  issue(options?: TestCertificateOptions): TestCertificate
}

const hourMs = 3_600_000

/**
 * Makes a certificate authority for tests (ECDSA P-256), so that certificates with any date and name can be had without a
 * tool. Never for production. Source of the format: RFC 5280.
 *
 * @example
 * const authority = createTestAuthority()
 * const { cert, key } = authority.issue({ spiffe: 'spiffe://fleet.test/users' })
 */
export function createTestAuthority(commonName = 'test authority'): TestAuthority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const self = { subject: commonName, issuer: commonName, signer: pair.privateKey }
  return {
    ca: certificate({ ...self, publicKey: pair.publicKey, isAuthority: true, options: {} }),
    issue(options = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const cert = certificate({
        subject: options.commonName ?? 'test',
        issuer: commonName,
        signer: pair.privateKey,
        publicKey: own.publicKey,
        isAuthority: false,
        options,
      })
      return { cert, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
    },
  }
}

interface CertificateParts {
  readonly subject: string
  readonly issuer: string
  readonly signer: KeyObject
  readonly publicKey: KeyObject
  readonly isAuthority: boolean
  readonly options: TestCertificateOptions
}

function certificate(parts: CertificateParts): string {
  const { notBefore, notAfter } = parts.options
  const algorithm = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name(parts.issuer),
    sequence(
      time(notBefore ?? new Date(Date.now() - hourMs)),
      time(notAfter ?? new Date(Date.now() + 24 * hourMs)),
    ),
    name(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions(parts))),
  )
  const signature = sign('sha256', body, parts.signer)
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const lines = der.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function extensions({ isAuthority, options }: CertificateParts): Buffer[] {
  const yes = tlv(0x01, Buffer.from([0xff]))
  if (isAuthority) {
    const constraints = tlv(0x04, sequence(yes))
    return [sequence(oid(0x55, 0x1d, 0x13), yes, constraints)]
  }
  const { spiffe, dns = [], ips = [] } = options
  const names = [
    ...(spiffe === undefined ? [] : [tlv(0x86, Buffer.from(spiffe))]),
    ...dns.map((text) => tlv(0x82, Buffer.from(text))),
    ...ips.map((text) => tlv(0x87, Buffer.from(text.split('.').map(Number)))),
  ]
  const list: Buffer[] = [sequence(oid(0x55, 0x1d, 0x13), tlv(0x04, sequence()))]
  if (names.length > 0) list.push(sequence(oid(0x55, 0x1d, 0x11), tlv(0x04, sequence(...names))))
  return list
}

function name(text: string): Buffer {
  const attribute = sequence(oid(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from(text)))
  return sequence(tlv(0x31, attribute))
}

function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return tlv(0x18, Buffer.from(text))
}

function oid(...bytes: number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes))
}

function sequence(...parts: Buffer[]): Buffer {
  return tlv(0x30, ...parts)
}

/** Tag, length, value: the one form that everything in DER has. */
function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts)
  const { length } = value
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), value])
}
