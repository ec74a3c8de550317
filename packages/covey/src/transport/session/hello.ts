import type { Frame } from '../../codec/frame/frame-type.ts'
import { parseJson } from '../../codec/json-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'

/** The versions of the protocol that this code speaks: all from `oldest` to `newest`. */
export const protocolVersions = { oldest: 1, newest: 2 } as const

/** What a client says first. */
export interface Hello {
  /** The oldest version it speaks. */
  readonly covey: number
  /** The newest version it speaks; missing in version 1. */
  readonly newest?: number | undefined
  /** Names of codecs, the preferred one first. */
  readonly codecs: readonly string[]
  /** Largest frame it takes, in bytes. */
  readonly maxFrameBytes: number
  /** Bytes a stream may send it ahead. */
  readonly streamWindowBytes: number
  /** The instance it means to talk to. */
  readonly instance?: string | undefined
  readonly credential?: string | undefined
  /** Compressions that it can inflate. */
  readonly compress?: readonly string[] | undefined
  /** `crc32c` if it wants frames sealed so. */
  readonly integrity?: string | undefined
  /** The key that it proves, if any. */
  readonly key?: HelloKey | undefined
}

/** Which key a client means, and its random part in hexadecimal. */
export interface HelloKey {
  readonly id: string
  readonly nonce: string
}

/** What the server answers. */
export interface Welcome {
  /** The version of this connection. */
  readonly covey: number
  readonly codec: string
  readonly instance: string
  readonly maxFrameBytes: number
  /** Bytes a stream may send it ahead; a server of version 1 takes no streams and says nothing. */
  readonly streamWindowBytes?: number | undefined
  /** Paths of the methods; their place is their number in call frames. */
  readonly methods: readonly string[]
  /** Compressions that it can inflate. */
  readonly compress?: readonly string[] | undefined
  /** `crc32c` if frames are sealed so from here on. */
  readonly integrity?: string | undefined
}

/** The server's part of proving a key; nonce and proof in hexadecimal. */
export interface Challenge {
  readonly nonce: string
  /** `hmac` or `none`. */
  readonly integrity: string
  readonly proof: string
  /** The same by the secret that the key had before, while it is still accepted. */
  readonly previousProof?: string | undefined
}

/** Reads the body of a hello. @throws CoveyError `PROTOCOL_ERROR` naming the field */
export function readHello(frame: Frame): Hello {
  const body = readBody(frame)
  const covey = version(body, 'covey')
  const newest = isMissing(body.newest) ? covey : version(body, 'newest')
  // Later versions may have other fields, so nothing else is read before a common one is certain.
  chooseVersion({ covey, newest })
  return {
    covey,
    newest,
    codecs: strings(body, 'codecs', 16),
    maxFrameBytes: bytes(body, 'maxFrameBytes'),
    streamWindowBytes: bytes(body, 'streamWindowBytes'),
    instance: optionalText(body, 'instance', 200),
    credential: optionalText(body, 'credential', 8192),
    compress: optionalStrings(body, 'compress', 16),
    integrity: optionalText(body, 'integrity', 40),
    key: optionalKey(body),
  }
}

/** Reads the body of a welcome. @throws CoveyError `PROTOCOL_ERROR` naming the field */
export function readWelcome(frame: Frame): Welcome {
  const body = readBody(frame)
  const covey = version(body, 'covey')
  chooseVersion({ covey, newest: covey })
  return {
    covey,
    codec: optionalText(body, 'codec', 40) ?? '',
    instance: optionalText(body, 'instance', 200) ?? '',
    maxFrameBytes: bytes(body, 'maxFrameBytes'),
    streamWindowBytes: covey === 1 ? undefined : bytes(body, 'streamWindowBytes'),
    methods: strings(body, 'methods', 65_536),
    compress: optionalStrings(body, 'compress', 16),
    integrity: optionalText(body, 'integrity', 40),
  }
}

/** Reads the body of a challenge. @throws CoveyError `PROTOCOL_ERROR` naming the field */
export function readChallenge(frame: Frame): Challenge {
  const body = readBody(frame)
  return {
    nonce: requiredText(body, 'nonce', 64),
    integrity: requiredText(body, 'integrity', 40),
    proof: requiredText(body, 'proof', 64),
    previousProof: optionalText(body, 'previousProof', 64),
  }
}

/** Reads the body of a proof, in hexadecimal. @throws CoveyError `PROTOCOL_ERROR` naming the field */
export function readProof(frame: Frame): string {
  return requiredText(readBody(frame), 'proof', 64)
}

/** The newest version that the peer and this side speak. @throws CoveyError `PROTOCOL_ERROR` if there is none */
export function chooseVersion({ covey, newest = covey }: Pick<Hello, 'covey' | 'newest'>): number {
  const common = Math.min(newest, protocolVersions.newest)
  if (common >= Math.max(covey, protocolVersions.oldest)) return common
  const said = covey === newest ? `version ${covey}` : `versions ${covey} to ${newest}`
  const ours = `${protocolVersions.oldest} to ${protocolVersions.newest}`
  throw new CoveyError('PROTOCOL_ERROR', `protocol ${said}; this side speaks ${ours}`)
}

/** The longest message of an error that ends a connection, in UTF-16 units. */
export const maxFarewellLength = 4096

/** Reads the error that ends a connection. */
export function readFarewell(frame: Frame): CoveyError {
  const body = readBody(frame)
  const code = optionalText(body, 'code', 100) ?? 'PROTOCOL_ERROR'
  return new CoveyError(code, optionalText(body, 'message', maxFarewellLength) ?? 'refused', {
    details: body.details,
  })
}

function readBody(frame: Frame): Record<string, unknown> {
  if (frame.flags !== 0 || frame.id !== 0) throw wrong('frame', 'one without flags and number')
  let value: unknown
  try {
    value = parseJson(new TextDecoder().decode(frame.bytes.subarray(frame.start, frame.end)))
  } catch (cause) {
    throw new CoveyError('PROTOCOL_ERROR', 'the first frame is not a Covey handshake', { cause })
  }
  if (typeof value !== 'object' || value === null) throw wrong('body', 'an object')
  return value as Record<string, unknown>
}

/** Many languages write null for what is not there. */
function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

function version(body: Record<string, unknown>, field: string): number {
  const value = body[field]
  if (Number.isSafeInteger(value)) return value as number
  throw wrong(field, 'a version of the protocol')
}

function strings(body: Record<string, unknown>, field: string, max: number): string[] {
  const value = body[field]
  const fits = Array.isArray(value) && value.length <= max
  if (!fits || !value.every((item) => typeof item === 'string'))
    throw wrong(field, 'a list of texts')
  return value
}

function optionalStrings(
  body: Record<string, unknown>,
  field: string,
  max: number,
): string[] | undefined {
  return isMissing(body[field]) ? undefined : strings(body, field, max)
}

function optionalKey({ key }: Record<string, unknown>): HelloKey | undefined {
  if (isMissing(key)) return undefined
  if (typeof key !== 'object') throw wrong('key', 'an object')
  const fields = key as Record<string, unknown>
  return { id: requiredText(fields, 'id', 64), nonce: requiredText(fields, 'nonce', 64) }
}

function bytes(body: Record<string, unknown>, field: string): number {
  const value = body[field]
  const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1024
  if (!fits) throw wrong(field, 'a whole number of at least 1024')
  return value
}

function optionalText(
  body: Record<string, unknown>,
  field: string,
  maxLength: number,
): string | undefined {
  const value = body[field]
  if (isMissing(value)) return undefined
  if (typeof value !== 'string' || value.length > maxLength) {
    throw wrong(field, `text of at most ${maxLength} characters`)
  }
  return value
}

function requiredText(body: Record<string, unknown>, field: string, maxLength: number): string {
  const value = optionalText(body, field, maxLength)
  if (value === undefined) throw wrong(field, `text of at most ${maxLength} characters`)
  return value
}

function wrong(field: string, expected: string): CoveyError {
  return new CoveyError('PROTOCOL_ERROR', `handshake: ${field} is not ${expected}`)
}
