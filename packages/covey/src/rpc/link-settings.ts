import { CoveyError } from '../error/covey-error.ts'
import type { Integrity, KeyMode, LinkOptions } from '../transport/link-options.ts'
import {
  createKeyRing,
  type KeyOptions,
  type LiveKeyRing,
} from '../transport/tcp/create-key-ring.ts'
import { zstd } from '../transport/tcp/zstd.ts'
import type { TlsCredentials } from '../transport/tls/tls-credentials.ts'
import type { TlsPaths } from '../transport/tls/tls-files.ts'

/** How the connections of a runtime are guarded and packed, as people write it. */
export interface LinkSettings {
  /** Both sides of a connection prove that they have one. The first is used to connect, all are accepted. Default: none. */
  readonly keys?: LiveKeyRing | readonly KeyOptions[] | undefined
  /**
   * Whether keys are demanded (`strict`), or only offered and taken (`permissive`) while a running fleet is given keys. Default
   * `strict`.
   */
  readonly keyMode?: KeyMode | undefined
  /**
   * Own certificate, key and trusted authorities, as paths of PEM files that are followed. Applications listen at `tls://` then.
   * Default: none.
   */
  readonly tls?: TlsCredentials | TlsSettings | undefined
  /** What tells of changed frames. Default `hmac` with keys, `none` without. */
  readonly integrity?: Integrity | undefined
  /** Bodies above this size are compressed, 0 to 2 GiB or `Infinity`. Default `Infinity`: none are. */
  readonly compressAboveBytes?: number | undefined
}

/** Paths of PEM files: all three, or none. */
export type TlsSettings = { readonly [Name in keyof TlsPaths]?: string | undefined }

/** The same, checked, as connections use it. */
export interface RuntimeLinks extends LinkOptions {
  readonly keys: LiveKeyRing | undefined
  readonly tls: TlsCredentials | TlsPaths | undefined
}

const integrities: readonly Integrity[] = ['none', 'crc32c', 'hmac']
const keyModes: readonly KeyMode[] = ['strict', 'permissive']

/** @throws CoveyError `INVALID_SETTINGS` naming what is wrong, never with a part of a secret */
export function readLinkSettings(settings: LinkSettings): RuntimeLinks {
  const { integrity, compressAboveBytes = Number.POSITIVE_INFINITY } = settings
  if (integrity !== undefined && !integrities.includes(integrity)) {
    throw invalid(`covey.integrity: expected one of ${integrities.join(', ')}`)
  }
  requireKeyMode(settings)
  if (integrity === 'hmac' && settings.keys === undefined) {
    throw invalid('covey.integrity: "hmac" needs covey.keys; "crc32c" does without')
  }
  if (!(compressAboveBytes >= 0)) {
    throw invalid(`covey.compressAboveBytes: expected 0 or more, found ${compressAboveBytes}`)
  }
  const keys = isRing(settings.keys) ? settings.keys : settings.keys && createKeyRing(settings.keys)
  const tls = readTls(settings.tls)
  const { keyMode } = settings
  return Object.freeze({ keys, keyMode, tls, integrity, compression: zstd, compressAboveBytes })
}

function requireKeyMode({ keyMode, keys }: LinkSettings): void {
  if (keyMode === undefined) return
  if (!keyModes.includes(keyMode)) throw invalid(`covey.keyMode: expected ${keyModes.join(' or ')}`)
  if (keys === undefined) throw invalid(`covey.keyMode: "${keyMode}" needs covey.keys`)
}

function readTls(tls: LinkSettings['tls']): RuntimeLinks['tls'] {
  if (tls === undefined || 'onChange' in tls) return tls
  const { cert, key, ca } = tls
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (cert !== undefined && key !== undefined && ca !== undefined) return { cert, key, ca }
  const names = ['cert', 'key', 'ca'] as const
  const missing = names.filter((name) => tls[name] === undefined)
  throw invalid(`covey.tls: ${missing.join(' and ')} missing; all of cert, key and ca are needed`)
}

/** What people said, to compare two of them; undefined where they said nothing. */
export function saidOf(settings: LinkSettings): string | undefined {
  const { keys, keyMode, integrity, compressAboveBytes } = settings
  const tls = readTls(settings.tls)
  const files = tls !== undefined && 'onChange' in tls ? 'given' : tls
  const said = JSON.stringify({ keys, keyMode, tls: files, integrity, compressAboveBytes })
  return said === '{}' ? undefined : said
}

/**
 * What the variables `COVEY__KEYS` (JSON), `COVEY__KEY_MODE`, `COVEY__TLS__CERT`, `…KEY`, `…CA`, `COVEY__INTEGRITY` and `COVEY__COMPRESS_ABOVE_BYTES` say, for
 * processes that only call and load no settings.
 * @throws CoveyError `INVALID_SETTINGS`
 */
export function linkSettingsIn(env: Readonly<Record<string, string | undefined>>): LinkSettings {
  const above = env.COVEY__COMPRESS_ABOVE_BYTES
  return {
    keys: env.COVEY__KEYS === undefined ? undefined : parseKeys(env.COVEY__KEYS),
    keyMode: env.COVEY__KEY_MODE as KeyMode | undefined,
    tls: readTls({ cert: env.COVEY__TLS__CERT, key: env.COVEY__TLS__KEY, ca: env.COVEY__TLS__CA }),
    integrity: env.COVEY__INTEGRITY as Integrity | undefined,
    compressAboveBytes: above === undefined ? undefined : Number(above),
  }
}

function parseKeys(text: string): KeyOptions[] {
  try {
    const keys: unknown = JSON.parse(text)
    if (Array.isArray(keys)) return keys as KeyOptions[]
  } catch {
    // Not with the error: it quotes what it could not read.
  }
  throw invalid('COVEY__KEYS: expected a list in JSON: [{"id":"a","secretFile":"/path"}]')
}

/** What counts for one address: who may open a unix socket is decided by its file, and nothing comes between. */
export function linksFor(address: string, links: RuntimeLinks): LinkOptions {
  return address.startsWith('unix:') ? { compression: links.compression } : links
}

function isRing(keys: LinkSettings['keys']): keys is LiveKeyRing {
  return keys !== undefined && 'replace' in keys
}

function invalid(message: string): CoveyError {
  return new CoveyError('INVALID_SETTINGS', message)
}
