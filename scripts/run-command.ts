import { spawn } from 'node:child_process'

/**
 * What a finished command left: its exit code (128 for a signal's end) and all it wrote, stdout and
 * stderr joined.
 */
export interface CommandResult {
  code: number
  output: string
}

/**
 * Runs a command to its end, with no standard input, and collects what it writes. A failing command
 * is a result like any other; only one that cannot be started rejects.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({ code: code ?? 128, output: Buffer.concat(chunks).toString('utf8') })
    })
  })
}
