import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installByApt } from './install-by-apt.ts'

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
  { env, install }: ChromiumOptions = {
    env: process.env,
    install: () => installByApt(['chromium', 'fonts-liberation']),
  },
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
