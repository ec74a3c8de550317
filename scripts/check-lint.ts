import { join } from 'node:path'
import { type Findings, reportChecks, repositoryRoot } from './findings.ts'
import { runCommand } from './run-command.ts'

const biome = join(repositoryRoot, 'node_modules/@biomejs/biome/bin/biome')

if (import.meta.main) {
  const check = { name: 'lint', run: checkLint }
  process.exitCode = (await reportChecks([check], repositoryRoot)) ? 0 : 1
}

/**
 * Runs Biome's linter, formatter and import order over `root`. What is wrong in form is mended by
 * `make format`.
 */
export async function checkLint(root: string): Promise<Findings> {
  const args = [biome, 'check', '--reporter=concise', '--max-diagnostics=none', '--colors=off', '.']
  const { code, output } = await runCommand(process.execPath, args, root)
  const problems = markedLines(output, '×')
  if (code !== 0 && problems.length === 0) problems.push(output.trim())
  const note = /Checked (\d+ files)/.exec(output)?.[1] ?? ''
  return { problems, warnings: markedLines(output, '!'), note }
}

/** The lines of one severity: a mark, the place, the rule and what it says. */
function markedLines(output: string, mark: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(`${mark} `))
    .map((line) => line.slice(2).replace(/: format: Formatter would.*/, ' is not formatted'))
}
