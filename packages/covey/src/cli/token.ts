import { Command } from 'commander'
import { CoveyError } from '../error/covey-error.ts'
import { readToken } from '../supervisor/run-folder.ts'
import { configOption, findProject, type ProjectOptions } from './project.ts'

/** `covey token` */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print the token that the console asks for')
    .addOption(configOption())
    .action(token)
}

async function token(options: ProjectOptions): Promise<void> {
  const folder = await findProject(options)
  const found = readToken(folder)
  if (found === undefined) {
    const message = `there is no token in ${folder.run} yet; "covey start" makes it`
    throw new CoveyError('FAILED_PRECONDITION', message)
  }
  process.stdout.write(`${found}\n`)
}
