import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const neverSource = new Set(['node_modules', '.git', '.covey', 'dist', 'data', 'coverage'])

/**
 * The files of the repository, relative to `root` with forward slashes, sorted: what git tracks,
 * and what it would track after an `add`. Outside a git work tree (an unpacked archive, a test's
 * folder) it is every file but build output.
 */
export function trackedFiles(root: string): string[] {
  const files = existsSync(join(root, '.git')) ? listByGit(root) : listByWalking(root)
  return files.sort()
}

function listByGit(root: string): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })
  const files = new Set(listed.split('\0').filter(Boolean))
  return [...files].filter((file) => existsSync(join(root, file)))
}

function listByWalking(root: string, folder = ''): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (!entry.isDirectory()) return [path]
    return neverSource.has(entry.name) ? [] : listByWalking(root, path)
  })
}
