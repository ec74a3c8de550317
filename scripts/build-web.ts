import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './findings.ts'
import { runCommand } from './run-command.ts'
import { trackedFiles } from './tracked-files.ts'

const vite = join(repositoryRoot, 'node_modules/vite/bin/vite.js')
const page = 'apps/chat/web'

/**
 * What the page is made from: its own files, the contracts, the framework's source that it imports,
 * and the tools.
 */
const sources = [`${page}/`, 'apps/chat/contracts/', 'packages/covey/src/', 'package-lock.json']

/**
 * Holds the fingerprint of the sources that the built page was made from; gone with every fresh
 * install.
 */
const stampFile = 'node_modules/.cache/covey/web'

if (import.meta.main) await buildWeb(repositoryRoot)

/**
 * Builds the chat's page into `apps/chat/web/dist`, unless it stands there already, made from the
 * same sources. `bundle` does the work. Rejects when that fails.
 */
export async function buildWeb(root: string, bundle = runVite): Promise<void> {
  const fingerprint = fingerprintOf(root)
  const stamp = join(root, stampFile)
  const built = existsSync(join(root, page, 'dist/index.html'))
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return
  console.error('Building the web page…')
  await bundle(join(root, page))
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, fingerprint)
}

function fingerprintOf(root: string): string {
  const hash = createHash('sha256')
  for (const path of trackedFiles(root)) {
    if (!sources.some((source) => path.startsWith(source)) || /\.test\.\w+$/.test(path)) continue
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

async function runVite(folder: string): Promise<void> {
  const args = [vite, 'build', '--logLevel', 'warn', '--clearScreen', 'false']
  const { code, output } = await runCommand(process.execPath, args, folder)
  process.stderr.write(output)
  if (code !== 0) throw new Error(`vite build failed with exit code ${code}, see above`)
}
