import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { freePort, until } from 'covey/testing'

const chatFolder = resolve(import.meta.dirname, '..')
const covey = resolve(chatFolder, '../../packages/covey/bin/covey.ts')
const run = promisify(execFile)

/** Names of the processes of the chat platform. */
export type ProcessName = 'user' | 'message' | 'presence' | 'gateway'

/** One copy of a process, as `covey status --json` tells of it. */
interface Status {
  readonly name: string
  readonly state: string
  readonly pid: number | null
}

/** Time for everything to start or to stop, in milliseconds. */
const lifeMs = 40_000

/**
 * The whole chat platform, started as a user starts it, on free ports and in a folder of its own.
 */
export class Fleet {
  readonly url: string
  /** Holds the config, the databases, and `.covey`. */
  readonly folder: string
  readonly #process: ChildProcess
  #output = ''

  private constructor(url: string, folder: string, child: ChildProcess) {
    this.url = url
    this.folder = folder
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
  }

  /** Starts it and waits until all processes are well. @throws Error with the output when they are not */
  static async start(): Promise<Fleet> {
    const folder = await mkdtemp(join(tmpdir(), 'covey-chat-'))
    const [port, adminPort] = [await freePort(), await freePort()]
    await writeFile(join(folder, 'covey.config.ts'), configText(adminPort))
    const child = spawn(process.execPath, [covey, 'start'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GATEWAY__PORT: String(port) },
    })
    const fleet = new Fleet(`http://127.0.0.1:${port}`, folder, child)
    const ready = () => fleet.output.includes('Console: ') || child.exitCode !== null
    await until(ready, 'the fleet starts', lifeMs).catch(() => {})
    if (fleet.output.includes('Console: ')) return fleet
    await fleet.stop()
    throw new Error(`the fleet did not start:\n${fleet.output}`)
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output
  }

  /** Id of a running process. @throws Error when it does not come up */
  async pidOf(name: ProcessName): Promise<number> {
    let pid: number | null = null
    await until(
      async () => {
        const status = (await this.#status()).find((each) => each.name === `${name}-0`)
        pid = status?.state === 'running' ? status.pid : null
        return pid !== null
      },
      `${name} runs`,
      lifeMs,
    )
    return pid!
  }

  /** Ends a process as a crash does, and returns its id; the supervisor starts it again. */
  async kill(name: ProcessName): Promise<number> {
    const pid = await this.pidOf(name)
    process.kill(pid, 'SIGKILL')
    return pid
  }

  /** Stops everything in order. Returns the exit code, null when it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.#process
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), lifeMs)
      await ended
      clearTimeout(timer)
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
    return child.exitCode
  }

  async #status(): Promise<readonly Status[]> {
    const { stdout } = await run(process.execPath, [covey, 'status', '--json'], {
      cwd: this.folder,
    })
    return (JSON.parse(stdout) as { processes?: Status[] }).processes ?? []
  }
}

/** The platform's own config, with its scripts where they are and a console on another port. */
function configText(adminPort: number): string {
  const config = JSON.stringify(join(chatFolder, 'covey.config.ts'))
  const folder = JSON.stringify(chatFolder)
  return `import { resolve } from 'node:path'
import fleet from ${config}

const processes = Object.fromEntries(
  Object.entries(fleet.processes).map(([name, options]) => [
    name,
    { ...options, entry: resolve(${folder}, options.entry) },
  ]),
)
export default { ...fleet, processes, admin: { port: ${adminPort} } }
`
}
