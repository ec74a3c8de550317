import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'

/** What a check found. */
export interface Findings {
  /** Each one fails the check: `path:line what is wrong, and what to do`. */
  problems: string[]
  /** Limits that may be passed with a reason; they fail nothing. */
  warnings: string[]
  /** What was looked at, for the one line of a passing check: `412 files`. */
  note: string
}

/** A rule of the repository that a program can hold. */
export interface Check {
  name: string
  /** Looks at the repository in `root`, an absolute folder. */
  run(root: string): Findings | Promise<Findings>
}

/** The folder of this repository. */
export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs the checks side by side and prints a line for each, in their order, and every problem below
 * it. `--warnings` among the arguments prints the warnings as well. Returns whether all of them
 * passed.
 */
export async function reportChecks(checks: readonly Check[], root: string): Promise<boolean> {
  const showWarnings = process.argv.includes('--warnings')
  let passed = true
  for (const timed of await Promise.all(checks.map((check) => timeCheck(check, root)))) {
    const { check, findings, seconds } = timed
    const { problems, warnings, note } = findings
    const mark = problems.length === 0 ? '✔' : '✖'
    const found = [count(problems.length, 'problem'), count(warnings.length, 'warning')]
    const summary = [note, ...found].filter(Boolean).join(', ')
    console.log(`${mark} ${check.name.padEnd(12)} ${seconds.toFixed(1)} s  ${summary}`)
    for (const problem of problems) console.log(indent(problem))
    if (showWarnings) for (const warning of warnings) console.log(indent(`warning: ${warning}`))
    passed &&= problems.length === 0
  }
  return passed
}

async function timeCheck(check: Check, root: string) {
  const start = performance.now()
  const findings = await check.run(root)
  return { check, findings, seconds: (performance.now() - start) / 1000 }
}

function count(number: number, what: string): string {
  if (number === 0) return ''
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

/** Puts a text below its check, all lines of it. */
function indent(text: string): string {
  return `    ${text.replaceAll('\n', '\n    ')}`
}
