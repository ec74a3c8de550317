import { globSync } from 'node:fs'
import { installByApt } from './install-by-apt.ts'

/** Where the library is that makes a process see another time, or why there is none. */
export type FaketimeResult = { path: string } | { missing: string }

/** What finding and installing needs of the machine. */
export interface FaketimeOptions {
  env: NodeJS.ProcessEnv
  /** Where it lies, if it does. */
  find: () => string | undefined
  /** Installs Debian's package, or says in a sentence why that was not possible. */
  install: () => Promise<string | undefined>
}

/** Finds libfaketime for processes with threads: `COVEY_FAKETIME`, or Debian's, installed here and now. */
export async function ensureFaketime(
  { env, find, install }: FaketimeOptions = {
    env: process.env,
    find: () => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0],
    install: () => installByApt(['faketime']),
  },
): Promise<FaketimeResult> {
  const present = env.COVEY_FAKETIME || find()
  if (present) return { path: present }
  const reason = await install()
  const path = find()
  if (path !== undefined) return { path }
  return { missing: reason ?? 'faketime is installed, but its library is not where Debian puts it' }
}
