import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of a test, to be killed and stopped. */
export interface ChildScript extends AsyncDisposable {
  readonly process: ChildProcess
  /** The first line that it wrote. */
  readonly said: string
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void
  /** Resolves when the process is gone. */
  readonly gone: Promise<unknown>
}

/** Starts a script of `testing/fixtures`; resolves when it has written a line. */
export async function startChildScript(name: string, args: string[]): Promise<ChildScript> {
  const script = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  const said = await Promise.race([firstLine(child), failure(gone)])
  return {
    process: child,
    said,
    gone,
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await gone
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout!) return String(chunk).trim()
  throw new Error('the process said nothing')
}

async function failure(gone: Promise<unknown>): Promise<never> {
  const [code] = (await gone) as [number | null]
  throw new Error(`the process exited with ${code} before it was ready`)
}
