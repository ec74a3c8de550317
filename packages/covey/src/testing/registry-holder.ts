import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./fixtures/registry-holder.ts', import.meta.url))

/** A process of its own that holds an instance in a file registry. */
export interface RegistryHolder extends AsyncDisposable {
  readonly pid: number
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void
}

/** Starts a process that registers `id` in `directory`; resolves when it is registered. */
export async function startRegistryHolder(directory: string, id: string): Promise<RegistryHolder> {
  const child = spawn(process.execPath, [script, directory, id], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), failure(gone)])
  return {
    pid: child.pid!,
    signal: (name) => void child.kill(name),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (isRunning(child)) await gone
    },
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

async function failure(gone: Promise<unknown[]>): Promise<never> {
  const [code] = await gone
  throw new Error(`the process exited with ${code} before it was registered`)
}
