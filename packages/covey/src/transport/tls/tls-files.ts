import { readFile } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { Log } from '../../observe/log.ts'
import { EndWarning } from './end-warning.ts'
import { checkMaterial, type TlsCredentials, type TlsMaterial } from './tls-credentials.ts'

/** Paths of PEM files. */
export interface TlsPaths {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

/** Credentials that follow their files. Close them to stop looking. */
export interface TlsFiles extends TlsCredentials, AsyncDisposable {
  close(): Promise<void>
}

/** What `openTlsFiles` needs. */
export interface TlsFilesOptions {
  readonly clock: Clock
  readonly log: Log
  /** How often the files are looked at, in milliseconds. Default 5,000. */
  readonly checkMs?: number
  /** The setting that names the files, for messages. Default `covey.tls`. */
  readonly where?: string
}

/**
 * Reads certificate, key and authorities from files and follows them: what a tool puts there (cert-manager, spiffe-helper, a
 * mounted secret) is used for new connections within `checkMs`, without a restart. Files that do not fit together are
 * reported and the last good ones stay.
 *
 * @throws CoveyError `INVALID_SETTINGS` naming the file, at the start
 */
export async function openTlsFiles(
  paths: TlsPaths,
  { clock, log, checkMs = 5_000, where = 'covey.tls' }: TlsFilesOptions,
): Promise<TlsFiles> {
  const listeners = new Set<() => void>()
  let current = checkMaterial(await readAll(paths, where), where)
  let refused: TlsMaterial | undefined
  let problem = ''
  let checking: Promise<void> | undefined
  const ending = new EndWarning(clock, log)
  ending.look(current.notAfter)
  const timer = clock.every(checkMs, () => {
    ending.look(current.notAfter)
    checking ??= check().finally(() => {
      checking = undefined
    })
  })

  async function check(): Promise<void> {
    try {
      const material = await readAll(paths, where)
      if (same(material, current.material) || same(material, refused)) return
      refused = material
      current = checkMaterial(material, where)
      refused = undefined
      problem = ''
      log.info({ notAfter: current.notAfter.toISOString() }, 'new TLS certificate')
      for (const listener of listeners) listener()
    } catch (err) {
      const { message } = err as Error
      if (message !== problem) {
        log.error({ err }, 'the TLS files cannot be used; the last good ones stay')
      }
      problem = message
    }
  }

  const files: TlsFiles = {
    get current() {
      return current
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async close() {
      timer.stop()
      await checking
    },
    [Symbol.asyncDispose]: () => files.close(),
  }
  return files
}

async function readAll({ cert, key, ca }: TlsPaths, where: string): Promise<TlsMaterial> {
  const read = async (name: string, path: string) => {
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      const message = `${where}.${name}: ${(cause as Error).message}`
      throw new CoveyError('INVALID_SETTINGS', message, { cause })
    }
  }
  const [certText, keyText, caText] = await Promise.all([
    read('cert', cert),
    read('key', key),
    read('ca', ca),
  ])
  return { cert: certText, key: keyText, ca: caText }
}

function same(one: TlsMaterial, other: TlsMaterial | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key && one.ca === other.ca
}
