import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { benchCommand } from './bench.ts'
import { callCommand } from './call.ts'
import { describeCommand } from './describe.ts'
import { failure } from './failure.ts'
import { logsCommand } from './logs.ts'
import { flushOutput } from './output.ts'
import { startCommand } from './start.ts'
import { statusCommand } from './status.ts'
import { stopCommand } from './stop.ts'
import { tokenCommand } from './token.ts'

/** The longest delay of a timer, in milliseconds. */
const longMs = 2 ** 31 - 1

/**
 * Runs the command line and ends the process: with the code that the command set, or with 1 and one clear line on
 * standard error when it failed.
 */
export async function main(argv: readonly string[]): Promise<never> {
  /** The timers of the framework keep no process alive; a command that waits for one still has to go on. */
  const alive = setInterval(() => {}, longMs)
  /** A reader that has seen enough, as `head` does, is no failure. */
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  try {
    await createProgram().parseAsync([...argv])
  } catch (error) {
    process.stderr.write(failure(error, process.env))
    process.exitCode = 1
  }
  clearInterval(alive)
  await flushOutput(process.stdout)
  return process.exit()
}

/** Of the package, whose manifest lies beside the sources and beside what is made of them. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function createProgram(): Command {
  const program = new Command('covey')
    .description('Typed services that run as one command on a laptop and as a fleet in production.')
    .version(`covey ${version()}, Node ${process.version}`)
    .showHelpAfterError('(--help shows what there is)')
  const commands = [
    startCommand(),
    stopCommand(),
    statusCommand(),
    logsCommand(),
    tokenCommand(),
    callCommand(),
    describeCommand(),
    benchCommand(),
  ]
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program))
  return program
}
