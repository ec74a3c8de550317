import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { CoveyError } from '../error/covey-error.ts'

/** Where a fleet keeps what belongs to its running: all below `.covey` beside the config file. */
export interface RunFolder {
  /** `.covey` itself; children get it as `COVEY_DIR`. */
  readonly root: string
  /** Sockets, the record of the supervisor, the token. */
  readonly run: string
  /** Logs. */
  readonly log: string
  /** Says which supervisor runs. */
  readonly recordFile: string
  /** Holds the token of the console. */
  readonly tokenFile: string
}

/** The paths, whether they exist or not. */
export function runFolder(projectFolder: string): RunFolder {
  const root = join(projectFolder, '.covey')
  const run = join(root, 'run')
  const [recordFile, tokenFile] = [join(run, 'supervisor.json'), join(run, 'token')]
  return { root, run, log: join(root, 'log'), recordFile, tokenFile }
}

/**
 * Makes the folders, for their owner only.
 * @throws CoveyError `START_FAILED` when they cannot be made or belong to somebody else
 */
export function prepareRunFolder(folder: RunFolder): void {
  for (const path of [folder.root, folder.run, folder.log]) {
    try {
      mkdirSync(path, { mode: 0o700, recursive: true })
    } catch (error) {
      throw unusable(path, (error as Error).message, error)
    }
    const found = lstatSync(path)
    if (!found.isDirectory()) throw unusable(path, 'it is not a folder')
    const uid = process.getuid?.()
    if (uid !== undefined && found.uid !== uid)
      throw unusable(path, `it belongs to user ${found.uid}`)
    if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
  }
}

/** Writes a file so that readers see the old content or the new one, never a part. Mode 0600. */
export function writeAtomically(path: string, content: string): void {
  const draft = `${path}.${process.pid}.tmp`
  rmSync(draft, { force: true })
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx' })
  renameSync(draft, path)
}

/** The token of the console, or undefined before the first start. */
export function readToken({ tokenFile }: RunFolder): string | undefined {
  try {
    const token = readFileSync(tokenFile, 'utf8').trim()
    return /^[\w-]{43}$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

/** The token of the console; makes one of 32 random bytes when there is none yet. */
export function ensureToken(folder: RunFolder): string {
  const existing = readToken(folder)
  if (existing !== undefined) {
    chmodSync(folder.tokenFile, 0o600)
    return existing
  }
  const token = randomBytes(32).toString('base64url')
  writeAtomically(folder.tokenFile, `${token}\n`)
  return token
}

function unusable(path: string, reason: string, cause?: unknown): CoveyError {
  return new CoveyError('START_FAILED', `the folder ${path} cannot be used: ${reason}`, { cause })
}
