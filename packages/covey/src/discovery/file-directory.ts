import { type FSWatcher, watch } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Log } from '../observe/log.ts'
import { maxEntryBytes } from './file-entry.ts'

/** Something happened to a file of this name; undefined when the system does not say to which. */
export type DirectoryListener = (event: 'names' | 'beat', name: string | undefined) => void

/** Files in a directory beyond this are left out; a registry on one machine has some dozens. */
const maxFiles = 10_000

/**
 * The directory of a file registry. Who writes makes it, for its owner only, also when somebody has removed it; who only
 * reads leaves no trace. Files appear whole or not at all. Nothing is forced to the disk, because entries die with their
 * processes.
 */
export class FileDirectory {
  readonly path: string
  readonly #log: Log
  /** What was reported already, so that it is reported once. */
  readonly #reported = new Set<string>()
  #listener: DirectoryListener | undefined
  #watcher: FSWatcher | undefined

  constructor(path: string, log: Log) {
    this.path = resolve(path)
    this.#log = log
  }

  /** From the next `list` on, tells of changes as far as the system does. */
  observe(listener: DirectoryListener): void {
    this.#listener = listener
  }

  /** Ends what `observe` began. */
  close(): void {
    this.#listener = undefined
    this.#stopWatching()
  }

  /** Names of files that may be entries; none when there is no directory. */
  async list(): Promise<readonly string[]> {
    if (!(await this.#exists())) {
      this.#stopWatching()
      return []
    }
    if (this.#listener !== undefined) this.#watcher ??= this.#startWatching()
    const names = await fs.readdir(this.path)
    const entries = names.filter((name) => /\.json(\.tmp)?$/.test(name))
    if (entries.length > maxFiles) this.#report('some of too many registry entries are left out')
    return entries.slice(0, maxFiles)
  }

  /** A text that changes with every beat and every new content of a file. */
  async beatOf(name: string): Promise<string> {
    const { ino, mtimeNs } = await fs.lstat(join(this.path, name), { bigint: true })
    return `${ino}:${mtimeNs}`
  }

  /**
   * Reads an entry, and nothing that is not a file: a pipe would block, a link may lead anywhere.
   * @throws Error if it is too large
   */
  async read(name: string): Promise<string> {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants
    await using file = await fs.open(join(this.path, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const { size } = await file.stat().then((stats) => (stats.isFile() ? stats : { size: -1 }))
    if (size < 0) throw new Error('not a file')
    if (size > maxEntryBytes) throw new Error('larger than 64 KiB')
    const bytes = new Uint8Array(maxEntryBytes + 1)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytesRead))
  }

  /** Puts a file in place in one step, and makes the directory when there is none. */
  async write(name: string, text: string): Promise<void> {
    await fs.mkdir(this.path, { recursive: true, mode: 0o700 })
    const path = join(this.path, name)
    await fs.writeFile(`${path}.tmp`, text, { mode: 0o600 })
    await fs.rename(`${path}.tmp`, path)
  }

  /** Marks a file with a time; `ENOENT` when it is gone. */
  async touch(name: string, timeMs: number): Promise<void> {
    await fs.utimes(join(this.path, name), timeMs / 1000, timeMs / 1000)
  }

  /** Removes a file that may be gone already. */
  async remove(name: string): Promise<void> {
    await fs.rm(join(this.path, name), { force: true })
  }

  /** A directory that others may write to is reported and used as it is. */
  async #exists(): Promise<boolean> {
    try {
      const { mode } = await fs.stat(this.path)
      if (process.platform !== 'win32' && (mode & 0o022) !== 0) {
        this.#report('other users can write to the registry directory')
      }
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  /** Undefined where the system cannot watch (or has no watchers left); looking again and again goes on all the same. */
  #startWatching(): FSWatcher | undefined {
    try {
      const watcher = watch(this.path, { persistent: false }, (event, name) => {
        // The directory itself went away; what takes its place is watched from the next `list` on.
        if (name === basename(this.path)) this.#stopWatching()
        this.#listener?.(event === 'rename' ? 'names' : 'beat', name ?? undefined)
      })
      return watcher.on('error', () => this.#stopWatching())
    } catch {
      return undefined
    }
  }

  #stopWatching(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }

  #report(text: string): void {
    if (this.#reported.has(text)) return
    this.#reported.add(text)
    this.#log.warn({ path: this.path }, text)
  }
}
