import { runCovey } from './run-covey.ts'

// `make stop`: ends the fleet that `make start` runs, from another terminal.
process.exitCode = await runCovey(['stop', ...process.argv.slice(2)])
