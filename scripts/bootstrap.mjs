/**
 * `node scripts/bootstrap.mjs <script> [arguments]`: the first line of every npm script. On a fresh
 * clone there is neither `node_modules` nor a Node that runs TypeScript, so this file is plain
 * JavaScript for Node 18 and later: it installs what `package-lock.json` names unless that is there
 * already, and hands over to the script on the Node of `node_modules/.bin`.
 *
 * The npm scripts begin with `exec`, because Debian's shell would otherwise stay between npm and
 * us: it keeps npm's SIGTERM to itself, and turns a clean end after Ctrl-C into a failure.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runForeground } from './run-foreground.mjs'

/** The first major version that runs TypeScript without a flag and without a warning. */
const nodeMajor = 24

const runningMajor = Number.parseInt(process.versions.node, 10)

const root = fileURLToPath(new URL('..', import.meta.url))

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main()

async function main() {
  const [script, ...args] = process.argv.slice(2)
  if (!script) fail('usage: node scripts/bootstrap.mjs <script> [arguments]')
  if (!isInstalled(root)) install()
  const node = findNode()
  const file = resolve(root, script)
  const bin = join(root, 'node_modules', '.bin')
  process.env.PATH = [bin, ...pathWithout(bin)].join(delimiter)
  // Node 26 becomes the script, without a process in between; an older one stays and waits for it.
  if (nodeMajor <= runningMajor) process.execve?.(node, [node, file, ...args], process.env)
  process.exitCode = await runForeground(node, [file, ...args])
}

/**
 * Whether `node_modules` holds what the lock file names: npm keeps a lock of what it installed
 * there, and the two are compared by package, version and checksum. An `npm install` by hand
 * therefore counts, and an interrupted one does not.
 *
 * @param {string} folder holds `package-lock.json`
 */
export function isInstalled(folder) {
  const wanted = readPackages(join(folder, 'package-lock.json'))
  const present = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  if (!wanted || !present) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true
    const found = present[path]
    if (!found) return entry.optional === true
    return found.version === entry.version && found.integrity === entry.integrity
  })
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockEntry
 * @param {string} file
 * @returns {Record<string, LockEntry> | undefined} undefined when the file is missing or broken
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * Quiet but for errors: that the installing Node is older than `engines` asks for is why this file
 * exists.
 */
function install() {
  console.error('Installing…')
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress']
  const npm = process.env.npm_execpath
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], {
        cwd: root,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (result.error) fail(`npm ci could not be started: ${result.error.message}`)
  if (result.signal) fail(`npm ci was ended by ${result.signal}`)
  if (result.status !== 0) fail(`npm ci failed with exit code ${result.status}, see above`)
}

/**
 * The Node that npm installed, or the running one where no binary is published for the platform.
 */
function findNode() {
  const link = join(root, 'node_modules', '.bin', 'node')
  if (!existsSync(link)) linkNode(link)
  if (existsSync(link)) return link
  if (runningMajor >= nodeMajor) return process.execPath
  return fail(
    `no Node binary came with npm for ${process.platform}-${process.arch}, and the running Node is ` +
      `${process.version}: install Node ${nodeMajor} or later and try again`,
  )
}

/**
 * npm 10 links the binary and takes the link away again with those of the other platforms'
 * packages, which it tried as well; all of them are called `node`.
 *
 * @param {string} link
 */
function linkNode(link) {
  const platform = `${process.platform}-${process.arch}`
  const packages = [`node-${platform}`, `node-bin-${platform}`]
  const found = packages.find((name) => existsSync(join(root, 'node_modules', name, 'bin', 'node')))
  if (found) symlinkSync(join('..', found, 'bin', 'node'), link)
}

/** @param {string} folder */
function pathWithout(folder) {
  return (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== folder)
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(`bootstrap: ${message}`)
  process.exit(1)
}
