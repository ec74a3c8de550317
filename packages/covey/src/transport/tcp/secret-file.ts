import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { CoveyError } from '../../error/covey-error.ts'

/** No secret is longer than this, in bytes; a wrong file is not read to its end. */
const maxBytes = 4096

/**
 * Reads the secret of a key from a file that only its owner may read (mode 0600 or stricter). Blanks and line ends around
 * it do not count.
 * @throws CoveyError `INVALID_SETTINGS` with the key, the file and what to do
 */
export function readSecretFile(path: string, id: string): string {
  let handle: number | undefined
  try {
    handle = openSync(path, 'r')
    const { mode, size } = fstatSync(handle)
    requirePrivate(mode, path, id)
    if (size > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`)
    const bytes = Buffer.alloc(maxBytes)
    return bytes.toString('utf8', 0, readSync(handle, bytes, 0, maxBytes, 0)).trim()
  } catch (error) {
    if (error instanceof CoveyError) throw error
    throw new CoveyError('INVALID_SETTINGS', `covey.keys: key "${id}": ${(error as Error).message}`)
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

function requirePrivate(mode: number, path: string, id: string): void {
  // Windows knows no such modes and shows everything as open.
  if ((mode & 0o077) === 0 || process.platform === 'win32') return
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  throw new CoveyError(
    'INVALID_SETTINGS',
    `covey.keys: key "${id}": others may read ${path} (mode ${shown}); run: chmod 600 ${path}`,
  )
}
