import { runCovey } from './run-covey.ts'

// `npm run covey -- status`: the command line of Covey, for the chat platform's fleet.
process.exitCode = await runCovey(process.argv.slice(2))
