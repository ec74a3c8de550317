import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runCommand } from './run-command.ts'

/** Where Chromium is, or why it is not there. */
export type ChromiumResult = { path: string } | { missing: string }

/** What finding and installing needs of the machine. */
export interface ChromiumOptions {
  env: NodeJS.ProcessEnv
  /** Installs Debian's package, or says in a sentence why that was not possible. */
  install: () => Promise<string | undefined>
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * Finds the Chromium that the page tests drive: `CHROMIUM_PATH`, or the first of the usual names on
 * the PATH, or Debian's package, installed here and now where we are root or sudo asks for no
 * password.
 */
export async function ensureChromium(
  { env, install }: ChromiumOptions = { env: process.env, install: installByApt },
): Promise<ChromiumResult> {
  const present = findChromium(env)
  if (present) return { path: present }
  const reason = await install()
  const path = findChromium(env)
  if (path) return { path }
  return { missing: reason ?? `the installed package brought none of ${names.join(', ')}` }
}

function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  const folders = (env.PATH ?? '').split(delimiter)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function installByApt(): Promise<string | undefined> {
  if (!hasCommand('apt-get')) return 'it is not installed, and this machine has no apt-get'
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  if (prefix.length > 0 && spawnSync('sudo', ['-n', 'true']).status !== 0) {
    return 'it is not installed, and neither are we root nor does sudo work without a password'
  }
  console.error("Installing Debian's chromium…")
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y']
  const [command = '', ...args] = apt
  const update = await runCommand(command, [...args, 'update'], '/')
  if (update.code !== 0) return `apt-get update failed\n${update.output}`
  const packages = ['--no-install-recommends', 'install', 'chromium', 'fonts-liberation']
  const result = await runCommand(command, [...args, ...packages], '/')
  return result.code === 0 ? undefined : `apt-get install chromium failed\n${result.output}`
}

function hasCommand(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined
}
