import { spawnSync } from 'node:child_process'
import { installByApt } from './install-by-apt.ts'

/** Where a Python with msgpack is, or why there is none. */
export type PythonResult = { path: string } | { missing: string }

/** What finding and installing needs of the machine. */
export interface PythonOptions {
  env: NodeJS.ProcessEnv
  /** Whether this interpreter can load the module `msgpack`. */
  works: (path: string) => boolean
  /** Installs Debian's packages, or says in a sentence why that was not possible. */
  install: () => Promise<string | undefined>
}

/** Debian's own first: its package of msgpack belongs to that one, whatever else is on the PATH. */
const interpreters = ['/usr/bin/python3', 'python3']

/**
 * Finds the Python that speaks the protocol in tests: `COVEY_PYTHON`, or the first of the usual ones that can load msgpack, or
 * Debian's, installed here and now.
 */
export async function ensurePython(
  { env, works, install }: PythonOptions = {
    env: process.env,
    works: loadsMsgpack,
    install: () => installByApt(['python3', 'python3-msgpack']),
  },
): Promise<PythonResult> {
  if (env.COVEY_PYTHON) return { path: env.COVEY_PYTHON }
  const present = interpreters.find(works)
  if (present !== undefined) return { path: present }
  const reason = await install()
  const path = interpreters.find(works)
  if (path !== undefined) return { path }
  return { missing: reason ?? 'python3-msgpack is installed, but no python3 can load msgpack' }
}

function loadsMsgpack(path: string): boolean {
  return spawnSync(path, ['-c', 'import msgpack'], { stdio: 'ignore' }).status === 0
}
