import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function withRegistry(use: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'covey-hello-'))
  try {
    await use({ ...process.env, COVEY__REGISTRY: `file:${directory}/registry` })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test('in one process', { timeout: 30_000 }, () =>
  withRegistry(async (env) => {
    const { stdout } = await run(process.execPath, [file('hello.ts')], { env, timeout: 20_000 })
    assert.match(stdout, /\{ id: '7', name: 'Ada' \}/)
  }),
)

test('in two processes, and both end by themselves', { timeout: 30_000 }, () =>
  withRegistry(async (env) => {
    const server = spawn(process.execPath, [file('serve.ts')], {
      env,
      stdio: ['ignore', 'pipe', 2],
    })
    try {
      for await (const chunk of server.stdout!) if (String(chunk).includes('is ready')) break
      const { stdout } = await run(process.execPath, [file('call.ts')], { env, timeout: 20_000 })
      assert.equal(stdout, "{ id: '7', name: 'Ada' }\nuser 8 is gone\n")
    } finally {
      server.kill('SIGTERM')
    }
    const [code] = await once(server, 'exit')
    assert.equal(code, 0)
  }),
)
