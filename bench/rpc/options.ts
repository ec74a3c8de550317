import { parseArgs } from 'node:util'
import { type ScenarioName, scenarioName, scenarioNames } from './scenario.ts'
import { type SubjectName, subjectName, subjectNames } from './subjects.ts'

/** What `npm run bench -- rpc` accepts, with its defaults filled in. */
export interface RpcOptions {
  json: boolean
  /** All payloads, concurrencies and numbers of connections, of all subjects; default false. */
  full: boolean
  /** Server on core 0, client on core 1; default false. */
  pin: boolean
  /** Seconds of one measurement. Default 1.5, with `full` 3. */
  seconds: number
  /** How often the main table and what is compared with it is measured. Default 3. */
  rounds: number
  /** Default: all subjects. */
  only: SubjectName[]
  /** Default: all scenarios. */
  scenarios: ScenarioName[]
}

/** What `--help` prints. */
export const rpcUsage = `usage: npm run bench -- rpc [options]

  --only <subjects>      of: ${subjectNames.join(', ')}
  --scenario <scenarios> of: ${scenarioNames.join(', ')}
  --full                 all payloads, concurrencies and numbers of connections, of all subjects
  --seconds <n>          of one measurement (default 1.5, with --full 3)
  --rounds <n>           how often the main table is measured (default 3)
  --pin                  server on core 0, client on core 1
  --json                 the report as JSON
  --help                 this text

Lists are separated by commas.`

/** `'help'` where that is asked for. Throws on an unknown option, subject, scenario or a number that makes no sense. */
export function parseRpcOptions(args: string[]): RpcOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      pin: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' },
      scenario: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  const { json, full, pin } = values
  const asked = values.only?.split(',').map(subjectName)
  const wanted = values.scenario?.split(',').map(scenarioName)
  const seconds = Number(values.seconds ?? (full ? 3 : 1.5))
  const rounds = Number(values.rounds)
  if (!(seconds > 0 && seconds <= 3600)) throw new Error(`--seconds ${values.seconds}: 0 to 3600`)
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: 1 or more`)
  const only = subjectNames.filter((name) => !asked || asked.includes(name))
  const scenarios = scenarioNames.filter((name) => !wanted || wanted.includes(name))
  return { json, full, pin, seconds, rounds, only, scenarios }
}
