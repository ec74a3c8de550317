import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('./', import.meta.url)
const installLimitMs = 5 * 60_000

/**
 * Makes sure that the peers named in `bench/package.json` are installed in exactly the versions
 * given there, and runs `npm ci` in `bench/` otherwise. Says so on stderr, because it takes seconds
 * and needs the npm registry.
 */
export async function ensurePeers(): Promise<void> {
  const { dependencies } = readPackage(new URL('package.json', folder))
  const missing = Object.entries(dependencies ?? {}).filter(([name, version]) => {
    const installed = new URL(`node_modules/${name}/package.json`, folder)
    return !existsSync(installed) || readPackage(installed).version !== version
  })
  if (missing.length === 0) return
  const names = missing.map(([name, version]) => `${name}@${version}`).join(', ')
  console.error(`bench: installing the peers by npm ci in bench/ (missing: ${names})`)
  await npmCi()
}

function readPackage(file: URL): { version?: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(file, 'utf8'))
}

/**
 * Prefers the npm that runs us (`npm_execpath`), so that a script needs no second npm on the PATH.
 */
function npmCi(): Promise<void> {
  const running = process.env.npm_execpath
  const [command, prefix] = running ? [process.execPath, [running]] : ['npm', []]
  const args = [...prefix, 'ci', '--loglevel=error']
  return new Promise((resolve, reject) => {
    const npm = spawn(command, args, {
      cwd: folder,
      stdio: ['ignore', 2, 2],
      timeout: installLimitMs,
    })
    npm.once('error', reject)
    npm.once('exit', (code, signal) => {
      if (code === 0) return resolve()
      reject(
        new Error(`bench: npm ci in bench/ failed (${signal ?? `exit code ${code}`}, see above)`),
      )
    })
  })
}
