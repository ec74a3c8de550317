import { repositoryRoot } from './findings.ts'
import { runForeground } from './run-foreground.mjs'
import { trackedFiles } from './tracked-files.ts'

await main()

/**
 * `make soak [ARGS=file…]`: the long-running tests, `*.soak.ts`, one after another, without a time
 * limit of ours. They are no part of `make test`; `SOAK_SECONDS` in the environment tells each how
 * long to go on (by default its own choice).
 */
async function main(): Promise<void> {
  const named = process.argv.slice(2)
  const all = trackedFiles(repositoryRoot).filter((path) => path.endsWith('.soak.ts'))
  const files = named.length > 0 ? named : all
  if (files.length === 0) {
    console.error('soak: there is no *.soak.ts')
    process.exitCode = 1
    return
  }
  const args = ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files]
  process.exitCode = await runForeground(process.execPath, args, { cwd: repositoryRoot })
}
