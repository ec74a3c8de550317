import type { Figures } from '../load.ts'
import { type Pair, startPair } from '../pair.ts'
import { type PayloadName, payloadNames } from '../payloads.ts'
import { watchSharedCore } from '../process-watch.ts'
import type { ScenarioRun } from '../scenario-run.ts'
import { type SubjectName, subjects } from '../subjects.ts'

/** What was measured of one subject under one load: the median round, with the best and the worst. */
export interface UnaryRow extends Figures {
  payload: PayloadName
  concurrency: number
  /** Those of HTTP/1.1 are as many as there are calls in flight. */
  connections: number | 'as needed'
  subject: SubjectName
  bestCallsPerSecond: number
  worstCallsPerSecond: number
  /** Of each round in order: calls per second, and the share of time both processes were on one core. */
  rounds: { callsPerSecond: number; sharedCore: number | null }[]
}

/** One pair of processes: loads of the same payload over the same connections, one after the other. */
export interface UnaryCase {
  subject: SubjectName
  payload: PayloadName
  connections: number
  concurrencies: number[]
  rounds: number
}

interface Measured {
  load: { payload: PayloadName; concurrency: number; connections: number; subject: SubjectName }
  figures: Figures
  sharedCore: number | undefined
}

/** The loads that the report is about. */
export const main = { payload: '100B', concurrencies: [128, 1], connections: 1 } as const
/** Measured by default beside the main table, for they are what the larger payloads are compared with. */
const closest: readonly SubjectName[] = ['covey', 'bareJson', 'bareJsonEarly']
/**
 * Calls before a measurement that do not count: compilation and growth of buffers are over after
 * about a second. The first load of a process is the one that compiles.
 */
const warmUp = { first: 1, later: 0.3 }
/** A call at concurrency 1 takes a fraction of the time for its percentiles to stand still. */
const shareAtOne = 0.6

/** Which cases are run, in order: main table first. */
export function planUnary(names: readonly SubjectName[], full: boolean, rounds: number) {
  const cases: UnaryCase[] = []
  const add = (subject: SubjectName, change: Partial<UnaryCase>) =>
    cases.push({ subject, ...main, concurrencies: [...main.concurrencies], rounds, ...change })
  for (const subject of names) add(subject, {})
  for (const subject of names) {
    const many = subjects[subject].multiplexes
    if (full) add(subject, { concurrencies: [16, 1024], rounds: 1 })
    if (full && many) add(subject, { connections: 4, concurrencies: [128, 1, 16, 1024], rounds: 1 })
    for (const payload of payloadNames.slice(1)) {
      if (closest.includes(subject)) add(subject, { payload, concurrencies: [128] })
      else if (full) add(subject, { payload, concurrencies: [128], rounds: 1 })
      if (full) add(subject, { payload, concurrencies: [16, 1, 1024], rounds: 1 })
    }
    if (!full && closest.includes(subject)) {
      add(subject, { connections: 4, concurrencies: [128], rounds: 1 })
    }
  }
  return cases
}

/**
 * The unary echo in a closed loop. The subjects of a round come one after the other, each with fresh processes, so
 * that a slow minute of the machine does not fall on one subject alone.
 */
export async function run(scenario: ScenarioRun): Promise<UnaryRow[]> {
  const { subjects: names, options } = scenario
  const cases = planUnary(names, options.full, options.rounds)
  const measured: Measured[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const unary of cases.filter((one) => round <= one.rounds)) {
      const { subject, payload, connections } = unary
      const label = `round ${round} ${subject} ${payload} ×${connections}`
      const found = await scenario.attempt(label, () => measureCase(unary, scenario))
      measured.push(...(found ?? []))
      if (found) scenario.say(`${label} ${found.map(summary).join(', ')}`)
    }
  }
  return toRows(measured)
}

async function measureCase(unary: UnaryCase, { options }: ScenarioRun): Promise<Measured[]> {
  const { subject, payload, connections } = unary
  await using pair = await startPair(subject, { connections, pin: options.pin })
  const measured: Measured[] = []
  for (const concurrency of unary.concurrencies) {
    const load = { payload, concurrency, connections, subject }
    const seconds = options.seconds * (concurrency === 1 ? shareAtOne : 1)
    const warm = measured.length === 0 ? warmUp.first : warmUp.later
    await pair.run({ do: 'unary', payload, concurrency, seconds: warm })
    measured.push({ load, ...(await measureLoad(pair, { payload, concurrency, seconds })) })
  }
  return measured
}

async function measureLoad(
  pair: Pair,
  load: { payload: PayloadName; concurrency: number; seconds: number },
) {
  const watch = watchSharedCore(pair.server.pid, pair.client.pid)
  const figures = await pair.run<Figures>({ do: 'unary', ...load })
  return { figures, sharedCore: watch.stop() }
}

/** Rounds of the same load become one row: the median round counts, of an even number the slower middle one. */
export function toRows(measured: readonly Measured[]): UnaryRow[] {
  const groups = Map.groupBy(measured, ({ load }) => Object.values(load).join(' '))
  return [...groups.values()].map((rounds) => {
    const sorted = rounds.toSorted((a, b) => a.figures.callsPerSecond - b.figures.callsPerSecond)
    const median = sorted[Math.floor((sorted.length - 1) / 2)]!
    const { load } = median
    return {
      ...load,
      connections: subjects[load.subject].multiplexes ? load.connections : 'as needed',
      ...median.figures,
      bestCallsPerSecond: sorted.at(-1)!.figures.callsPerSecond,
      worstCallsPerSecond: sorted[0]!.figures.callsPerSecond,
      rounds: rounds.map(({ figures, sharedCore }) => ({
        callsPerSecond: figures.callsPerSecond,
        sharedCore: sharedCore === undefined ? null : Number(sharedCore.toFixed(2)),
      })),
    }
  })
}

function summary({ load, figures, sharedCore }: Measured): string {
  const core = sharedCore === undefined ? '' : ` (${Math.round(sharedCore * 100)} % on one core)`
  return `${figures.callsPerSecond} calls/s at ${load.concurrency}${core}`
}
