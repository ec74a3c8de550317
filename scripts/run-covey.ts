import { join } from 'node:path'
import { repositoryRoot } from './findings.ts'
import { runForeground } from './run-foreground.mjs'

/**
 * Runs the `covey` command on the chat platform's fleet, in our place: its output is ours, a signal
 * to us is one signal to it, and its exit code is returned.
 */
export function runCovey(args: readonly string[]): Promise<number> {
  const command = join(repositoryRoot, 'packages/covey/bin/covey.ts')
  const cwd = join(repositoryRoot, 'apps/chat')
  return runForeground(process.execPath, [command, ...args], { cwd, detached: true })
}
