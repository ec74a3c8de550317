import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { endLeftovers } from '../supervisor/child-records.ts'
import type { FleetOptions, ProcessOptions } from '../supervisor/fleet.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

const command = fileURLToPath(new URL('../../bin/covey.ts', import.meta.url))
const supervisor = new URL('../supervisor/index.ts', import.meta.url).href

/** What a `covey` command left. */
export interface CommandEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A `covey` command that runs. */
export interface RunningCommand {
  readonly process: ChildProcess
  /** What it wrote to its standard output so far. */
  readonly output: () => string
  readonly end: Promise<CommandEnd>
  /** Waits until its output holds a text. Fails at once when the command ends before. */
  says(text: string, limitMs?: number): Promise<void>
}

/** A project in a temporary folder. */
export interface FleetProject {
  readonly folder: string
  /** Port of its console. */
  readonly port: number
  /** Runs a command in the folder. */
  run(args: readonly string[], options?: { env?: NodeJS.ProcessEnv }): RunningCommand
  /** Runs a command to its end. */
  covey(...args: string[]): Promise<CommandEnd>
}

/** A fleet whose scripts are given as text: `{ user: { script: 'console.log(1)' } }`. */
export interface ProjectOptions extends Omit<Partial<FleetOptions>, 'processes'> {
  readonly processes: Record<string, Partial<ProcessOptions> & { script: string }>
  /** Folder below the temporary one. Default: none. */
  readonly below?: string
}

/** Makes a project with a `covey.config.ts` and its scripts. After the test all that it started is ended. */
export async function fleetProject(t: TestContext, options: ProjectOptions): Promise<FleetProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'covey-fleet-')))
  const folder = join(root, options.below ?? '')
  const port = await freePort()
  await writeProject(folder, port, options)
  const running = new Set<ChildProcess>()
  t.after(async () => {
    await Promise.all([...running].map(endProcess))
    await endLeftovers(join(folder, '.covey', 'run'), { timeoutMs: 200 }).catch(() => {})
    await rm(root, { recursive: true })
  })
  const run: FleetProject['run'] = (args, { env = {} } = {}) => {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: folder,
      env: { ...plainEnv(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    child.once('exit', () => running.delete(child))
    return watch(child)
  }
  return { folder, port, run, covey: (...args) => run(args).end }
}

async function writeProject(folder: string, port: number, options: ProjectOptions): Promise<void> {
  const { processes, below: _, ...fleet } = options
  const entries: Record<string, ProcessOptions> = {}
  for (const [name, { script, ...settings }] of Object.entries(processes)) {
    const entry = settings.entry ?? `${name}.ts`
    entries[name] = { ...settings, entry }
    await mkdir(dirname(join(folder, entry)), { recursive: true })
    await writeFile(join(folder, entry), script)
  }
  const config = { name: 'test', admin: { port }, ...fleet, processes: entries }
  const text = `import { defineFleet } from '${supervisor}'\nexport default defineFleet(${JSON.stringify(config)})\n`
  await writeFile(join(folder, 'covey.config.ts'), text)
}

/** Without what the test runner or an outer terminal would change in the output. */
function plainEnv(): NodeJS.ProcessEnv {
  const {
    NODE_TEST_CONTEXT: _,
    FORCE_COLOR: __,
    NO_COLOR: ___,
    COVEY_DEBUG: ____,
    ...env
  } = process.env
  return env
}

function watch(child: ChildProcess): RunningCommand {
  let stdout = ''
  let stderr = ''
  let ended = false
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const end = once(child, 'close').then(([code]) => {
    ended = true
    return { code: code as number | null, stdout, stderr }
  })
  const says = async (text: string, limitMs = 20_000) => {
    await until(() => stdout.includes(text) || ended, `"${text}" in:\n${stdout}${stderr}`, limitMs)
    if (!stdout.includes(text)) throw new Error(`ended without "${text}":\n${stdout}${stderr}`)
  }
  return { process: child, output: () => stdout, end, says }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
