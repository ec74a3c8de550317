import assert from 'node:assert/strict'
import type { ProcessStatus } from '../supervisor/process-status.ts'
import type { FleetProject } from './fleet-project.ts'

/** For scripts that import `covey`. */
export const coveyModule = new URL('../index.ts', import.meta.url).href

/** Runs until it is told to end, or its supervisor is gone. */
export const idle = {
  health: 'none',
  script: `
    process.stdin.on('end', () => process.exit(0)).resume()
    process.on('SIGTERM', () => process.exit(0))
    console.log('idle is up')`,
} as const

/** An application without services. */
export const app = {
  script: `
    import { createApp } from '${coveyModule}'
    await createApp({ name: 'app', services: [] }).start()`,
} as const

/** Ends only by force, and has a child that is the same. */
export const deaf = {
  health: 'none',
  script: `
    import { spawn } from 'node:child_process'
    process.on('SIGTERM', () => console.log('deaf hears nothing'))
    const inner = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'])
    console.log('inner ' + inner.pid + ' of ' + process.pid)
    setInterval(() => {}, 1000)`,
} as const

/** The processes of its fleet, by name. */
export async function statusOf(project: FleetProject): Promise<Record<string, ProcessStatus>> {
  const { stdout } = await project.covey('status', '--json')
  const processes: ProcessStatus[] = JSON.parse(stdout).processes ?? []
  return Object.fromEntries(processes.map((process) => [process.name, process]))
}

/** Starts its fleet. */
export async function up(project: FleetProject, ...args: string[]) {
  const fleet = project.run(['start', ...args])
  await fleet.says('Ctrl-C stops everything')
  return fleet
}

/** What a command says when it fails: one line, and this. */
export function assertOneLine(stderr: string, pattern: RegExp): void {
  assert.match(stderr, pattern)
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
}
