import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const variable = 'COVEY_BENCH_GO_PROGRAM'
/** The first build compiles the standard library. */
const buildLimitMs = 5 * 60_000

/**
 * Builds `go-net-rpc/` into a temporary folder that goes with this process; child processes find it by their environment.
 * @returns why it is not there, or undefined
 */
export function buildGoProgram(): string | undefined {
  if (process.env[variable]) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'covey-bench-go-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = join(folder, 'go-net-rpc')
  const { error, status } = spawnSync('go', ['build', '-o', program, 'main.go', 'payload.go'], {
    cwd: fileURLToPath(new URL('go-net-rpc/', import.meta.url)),
    stdio: ['ignore', 2, 2],
    timeout: buildLimitMs,
  })
  if (error) return `no Go compiler: ${error.message} (Debian: golang-go)`
  if (status !== 0) return 'go build failed, see above'
  process.env[variable] = program
  return undefined
}

/** Path of the program. @throws Error if the parent did not build it */
export function goProgram(): string {
  const program = process.env[variable]
  if (!program) throw new Error('goNetRpc: the program was not built')
  return program
}
