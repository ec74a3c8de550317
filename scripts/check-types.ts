import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { runCommand } from './run-command.ts'

const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc')

if (import.meta.main) {
  const check = { name: 'types', run: checkTypes }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

/**
 * Runs the type checker over `root`, and over `bench/` where the peers that it compares with are
 * installed: they are no part of the ordinary install, and without them nothing there can be
 * resolved.
 */
export async function checkTypes(root: string): Promise<Findings> {
  const withBench = existsSync(join(root, 'bench/node_modules'))
  const projects = withBench ? ['.', 'bench'] : ['.']
  const found = await Promise.all(projects.map((project) => checkProject(root, project)))
  return { problems: [...new Set(found.flat())], warnings: [], note: projects.join(' and ') }
}

async function checkProject(root: string, project: string): Promise<string[]> {
  const args = [tsc, '--noEmit', '--pretty', 'false', '--project', project]
  const { code, output } = await runCommand(process.execPath, args, root)
  if (code === 0) return []
  // An indented line goes on explaining the one before it.
  const problems = output.trim().split(/\n(?! )/)
  return problems.map((problem) => problem || `tsc ended with code ${code}`)
}
