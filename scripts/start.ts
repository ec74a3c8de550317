import { buildWeb } from './build-web.ts'
import { repositoryRoot } from './findings.ts'
import { runCovey } from './run-covey.ts'

// `make start`: the chat platform, page and fleet, in the foreground. Ends when the fleet ends,
// with its exit code.
await buildWeb(repositoryRoot)
process.exitCode = await runCovey(['start', ...process.argv.slice(2)])
