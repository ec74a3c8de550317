import { ensurePeers } from '../peers.ts'
import { formatReport } from './format-report.ts'
import { buildGoProgram } from './go-build.ts'
import { parseRpcOptions, type RpcOptions, rpcUsage } from './options.ts'
import { cannotPin } from './pair.ts'
import { createReport, type Report, thisMachine } from './report.ts'
import type { Scenarios } from './results.ts'
import { type ScenarioName, scenarioNames } from './scenario.ts'
import type { ScenarioRun } from './scenario-run.ts'
import { run as bulk } from './scenarios/bulk.ts'
import { run as idleConnections } from './scenarios/idle-connections.ts'
import { run as middleware } from './scenarios/middleware.ts'
import { run as overload } from './scenarios/overload.ts'
import { run as serverStream } from './scenarios/server-stream.ts'
import { run as startup } from './scenarios/startup.ts'
import { run as unary } from './scenarios/unary.ts'
import { can, type SubjectName, subjects } from './subjects.ts'

const scenarios: { [N in ScenarioName]: (run: ScenarioRun) => Promise<Scenarios[N]> } = {
  unary,
  serverStream,
  bulk,
  idleConnections,
  startup,
  middleware,
  overload,
}

/**
 * Runs the wanted scenarios with the wanted subjects. Everything is tried; then any failure fails the whole run, since
 * ratios over a broken run would look like results.
 */
export async function run(args: string[]): Promise<string> {
  const options = parseRpcOptions(args)
  if (options === 'help') return rpcUsage
  const unpinned = options.pin ? cannotPin() : undefined
  if (unpinned) throw new Error(`--pin: ${unpinned}`)
  const skipped = await prepare(options)
  const failures: string[] = []
  const results = await runScenarios(options, skipped, failures)
  const report = createReport(results, skipped, thisMachine(options.pin))
  if (failures.length > 0) {
    console.error(formatReport(report))
    throw new Error(`bench: failed, so the above is no result:\n${failures.join('\n')}`)
  }
  return options.json ? JSON.stringify(report, null, 2) : formatReport(report)
}

/** Installs and builds what the wanted subjects need, and says which of them cannot be had here. */
async function prepare({ only }: RpcOptions): Promise<Report['skipped']> {
  if (only.some((name) => subjects[name].fromNpm)) await ensurePeers()
  const reason = only.includes('goNetRpc') ? buildGoProgram() : undefined
  if (reason === undefined) return {}
  console.error(`goNetRpc is left out: ${reason}`)
  return { goNetRpc: reason }
}

async function runScenarios(
  options: RpcOptions,
  skipped: Report['skipped'],
  failures: string[],
): Promise<Scenarios> {
  const wanted = options.only.filter((name) => skipped[name] === undefined)
  const scenarioRun = (scenario: ScenarioName): ScenarioRun => ({
    options,
    subjects: options.scenarios.includes(scenario)
      ? wanted.filter((name: SubjectName) => can(name, scenario))
      : [],
    say: (line) => console.error(line),
    async attempt(what, work) {
      try {
        return await work()
      } catch (error) {
        failures.push(`${what}: ${error instanceof Error ? error.message : error}`)
        console.error(failures.at(-1))
        return undefined
      }
    },
  })
  const found: Partial<Record<ScenarioName, unknown>> = {}
  for (const name of scenarioNames) found[name] = await scenarios[name](scenarioRun(name))
  return found as Scenarios
}
