import { lstatSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** The longest path of a unix socket that works everywhere: Linux takes 107 bytes, macOS 103. */
const maxPathBytes = 100
const prefix = 'covey-'

/**
 * The folder for control sockets: `runFolder`, or, where a path in it would be too long, a new private
 * folder for temporary files. `names` are those of the sockets, without `.sock`.
 */
export function socketFolderFor(runFolder: string, names: readonly string[]): string {
  const longest = Math.max(0, ...names.map((name) => Buffer.byteLength(`${name}.sock`)))
  const fits = (folder: string) => Buffer.byteLength(folder) + 1 + longest <= maxPathBytes
  if (fits(runFolder)) return runFolder
  const base = fits(join(tmpdir(), `${prefix}XXXXXX`)) ? tmpdir() : '/tmp'
  return mkdtempSync(join(base, prefix))
}

/** Takes away a folder that `socketFolderFor` made, sockets and nothing else in it. */
export function removeSocketFolder(folder: string): void {
  if (!basename(folder).startsWith(prefix)) return
  try {
    if (!lstatSync(folder).isDirectory()) return
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.sock')) rmSync(join(folder, name), { force: true })
    }
    rmdirSync(folder)
  } catch {
    // Gone, or not ours: a folder of this kind that stays does no harm.
  }
}
