import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** `npm test` sees to it that there is one. */
const library =
  process.env.COVEY_FAKETIME ?? globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0] ?? 'none'

/** Why the clock cannot jump here, or false. In CI it always can, or the test fails. */
export const noFaketime: string | false =
  process.env.CI === 'true' || existsSync(library) ? false : 'no libfaketime (Debian: faketime)'

/** A process whose clock of the wall is another one; durations are true unless it is said otherwise. */
export interface FakedProcess extends AsyncDisposable {
  readonly process: ChildProcess
  /** Lines that it wrote. */
  readonly lines: readonly string[]
  /** Sets its clock off against the true one: `+2h`. It sees that within a second. */
  jump(offset: string): Promise<void>
  /** Writes a line to its standard input. */
  tell(line: string): void
}

/**
 * @param clockFile where its offset is written to; has to be in a folder of the test
 * @param durations whether durations are true; if not, the clock that they are measured by jumps as well
 */
export async function startFaked(
  script: string,
  args: readonly string[],
  clockFile: string,
  durations: 'true' | 'jump' = 'true',
): Promise<FakedProcess> {
  const jump = (offset: string) => writeFile(clockFile, `${offset}\n`)
  await jump('+0')
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    env: {
      ...process.env,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_CACHE_DURATION: '1',
      ...(durations === 'true' ? { DONT_FAKE_MONOTONIC: '1' } : {}),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', (text) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  return {
    process: child,
    lines,
    jump,
    tell: (line) => void child.stdin.write(`${line}\n`),
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit')
      if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await gone
    },
  }
}
