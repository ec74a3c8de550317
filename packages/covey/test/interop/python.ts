import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The Python that can load msgpack; `npm test` sees to it that there is one. */
const interpreter = process.env.COVEY_PYTHON ?? '/usr/bin/python3'

/** Why tests with Python cannot run here, or false. In CI they always can, or fail. */
export const noPython: string | false =
  process.env.CI === 'true' || spawnSync(interpreter, ['-c', 'import msgpack']).status === 0
    ? false
    : `${interpreter} has no msgpack (Debian: python3-msgpack)`

/** Starts one of the scripts of this folder. */
export function python(script: string, args: readonly string[], secret?: string): ChildProcess {
  const env = { ...process.env, COVEY_SECRET: secret ?? '', PYTHONDONTWRITEBYTECODE: '1' }
  return spawn(interpreter, [script, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Waits for the end of a script and gives all that it said. */
export async function outcome(child: ChildProcess): Promise<{ code: number; said: string }> {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      said += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, said }
}
