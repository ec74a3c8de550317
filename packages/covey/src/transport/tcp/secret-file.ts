import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'
import { CoveyError } from '../../error/covey-error.ts'

/** What a file of a key holds. */
export interface FileSecrets {
  readonly current: string
  /** The secret before it, which is accepted as long as it stands there. */
  readonly previous: string | undefined
}

/** No secret is longer than this, in bytes; a wrong file is not read to its end. */
const maxBytes = 4096

/**
 * Reads the secret of a key from a file that only its owner may read (mode 0600 or stricter): the secret in its first line
 * and, while it is being changed, the one before in a second line. Blanks around them do not count.
 * @throws CoveyError `INVALID_SETTINGS` with the key, the file and what to do
 */
export function readSecretFile(path: string, id: string): FileSecrets {
  let handle: number | undefined
  try {
    handle = openSync(path, 'r')
    requireSecretFile(fstatSync(handle), path, id)
    const bytes = Buffer.alloc(maxBytes)
    return parseSecrets(bytes.toString('utf8', 0, readSync(handle, bytes, 0, maxBytes, 0)), path)
  } catch (error) {
    throw unreadable(error, id)
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

/** The same while the process runs: a slow disk holds nobody up. */
export async function rereadSecretFile(path: string, id: string): Promise<FileSecrets> {
  try {
    await using handle = await open(path, 'r')
    requireSecretFile(await handle.stat(), path, id)
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(maxBytes), position: 0 })
    return parseSecrets(buffer.toString('utf8', 0, bytesRead), path)
  } catch (error) {
    throw unreadable(error, id)
  }
}

function requireSecretFile({ mode, size }: Stats, path: string, id: string): void {
  if (size > maxBytes) throw new Error(`${path} has more than ${maxBytes} bytes`)
  // Windows knows no such modes and shows everything as open.
  if ((mode & 0o077) === 0 || process.platform === 'win32') return
  const shown = (mode & 0o777).toString(8).padStart(4, '0')
  throw new CoveyError(
    'INVALID_SETTINGS',
    `covey.keys: key "${id}": others may read ${path} (mode ${shown}); run: chmod 600 ${path}`,
  )
}

function parseSecrets(text: string, path: string): FileSecrets {
  const lines = text.split('\n').map((line) => line.trim())
  const [current = '', previous, ...more] = lines.filter((line) => line !== '')
  if (more.length === 0) return { current, previous }
  throw new Error(`${path} has ${2 + more.length} lines; a secret, and the one before, are all`)
}

function unreadable(error: unknown, id: string): CoveyError {
  if (error instanceof CoveyError) return error
  return new CoveyError('INVALID_SETTINGS', `covey.keys: key "${id}": ${(error as Error).message}`)
}
