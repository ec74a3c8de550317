import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

const script = fileURLToPath(new URL('./fixtures/echo-server.ts', import.meta.url))

/** A server in a process of its own, to be killed and stopped. */
export interface ChildServer extends AsyncDisposable {
  readonly address: string
  readonly process: ChildProcess
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void
  /** Resolves when the process is gone. */
  readonly gone: Promise<unknown>
}

/** Starts a process that serves the `echo` contract; its instance is announced in `registry`. */
export async function startChildServer(registry = 'memory:'): Promise<ChildServer> {
  const port = String(await freePort())
  const child = spawn(process.execPath, [script, registry, port], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  const address = await Promise.race([firstLine(child), failure(gone)])
  return {
    address,
    process: child,
    gone,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await gone
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout!) return String(chunk).trim()
  throw new Error('the server said nothing')
}

async function failure(gone: Promise<unknown>): Promise<never> {
  const [code] = (await gone) as [number | null]
  throw new Error(`the server exited with ${code} before it was ready`)
}
