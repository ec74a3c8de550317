import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, until } from 'covey/testing'
import { tempFolder } from './temp-folder.ts'

const chatFolder = fileURLToPath(new URL('..', import.meta.url))

/** One process of the platform. */
export interface FleetProcess {
  /** `http://127.0.0.1:…`, of a gateway. */
  readonly url: string
  /** Ends it without warning, and waits until it is gone. */
  kill(): Promise<void>
  /** Asks it to stop. Its exit code. */
  stop(): Promise<number | null>
  /** What it has printed. */
  readonly output: string
}

/**
 * Starts processes of the platform by their own entries, without a supervisor, so that a test decides who lives. They
 * share a registry and keep their databases over restarts.
 */
export async function startProcesses(test: TestContext) {
  const children = new Set<ChildProcess>()
  // Before the folder's own hook, which removes what they write to.
  test.after(() => Promise.all([...children].map(killChild)))
  const folder = await tempFolder(test)
  await mkdir(join(folder, 'page'))
  await writeFile(join(folder, 'page', 'index.html'), '<!doctype html><title>Chat</title>')

  /** Starts `<name>/main.ts` and waits until it is ready. */
  async function start(name: 'user' | 'message' | 'presence' | 'gateway'): Promise<FleetProcess> {
    const [port, webPort] = [await freePort(), await freePort()]
    const child = spawn(process.execPath, [join(chatFolder, name, 'main.ts')], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        COVEY__REGISTRY: `file:${join(folder, 'registry')}`,
        COVEY__PORT: String(port),
        GATEWAY__PORT: String(webPort),
        GATEWAY__ASSETS: join(folder, 'page'),
      },
    })
    children.add(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    await until(
      () => output.includes('is ready') || child.exitCode !== null,
      `${name} is ready`,
      15_000,
    )
    assert.equal(child.exitCode, null, output)
    const end = async (signal: NodeJS.Signals) => {
      const closed = once(child, 'close', { signal: AbortSignal.timeout(20_000) })
      child.kill(signal)
      await closed
      return child.exitCode
    }
    return {
      url: `http://127.0.0.1:${webPort}`,
      kill: async () => void (await end('SIGKILL')),
      stop: () => end('SIGTERM'),
      get output() {
        return output
      },
    }
  }

  return { folder, start }
}

/** Resolves when it is gone. */
async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
