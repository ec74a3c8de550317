import { availableParallelism, cpus } from 'node:os'
import type { Figures } from './load.ts'
import { ratio, type Scenarios, unaryRow } from './results.ts'
import { main, type UnaryRow } from './scenarios/unary.ts'
import type { SubjectName } from './subjects.ts'
import { checkTargets, type Target } from './targets.ts'

type PeerName = Exclude<SubjectName, 'covey'>

/** The figures of the main table: of the median round, and how far rounds were apart. */
export type MainFigures = Figures & Pick<UnaryRow, 'bestCallsPerSecond' | 'worstCallsPerSecond'>

/**
 * The result as `--json` prints it. Subjects left out by `--only` are absent; `covey` is null then.
 */
export interface Report {
  /** 100 bytes, one connection, 128 calls in flight, like `peers` and `ratios`. */
  covey: MainFigures | null
  peers: Partial<Record<PeerName, MainFigures>>
  /** Covey's calls per second over the peer's, medians of the rounds: above 1, Covey is faster. */
  ratios: Partial<Record<PeerName, number>>
  /** The same of the best round of each. */
  ratiosOfBest: Partial<Record<PeerName, number>>
  concurrency1: Partial<Record<SubjectName, MainFigures>>
  scenarios: Scenarios
  targets: Target[]
  /** Subjects that could not be measured on this machine, and why. */
  skipped: Partial<Record<SubjectName, string>>
  machine: Machine
}

export interface Machine {
  node: string
  cpu: string
  cores: number
  /** Whether server and client had a core each by `--pin`. */
  pinned: boolean
}

/** Puts together what `--json` prints. */
export function createReport(
  scenarios: Scenarios,
  skipped: Report['skipped'],
  machine: Machine,
): Report {
  const report: Report = {
    covey: null,
    peers: {},
    ratios: {},
    ratiosOfBest: {},
    concurrency1: {},
    scenarios,
    targets: checkTargets(scenarios),
    skipped,
    machine,
  }
  for (const subject of new Set(scenarios.unary.map((row) => row.subject))) {
    const at128 = unaryRow(scenarios.unary, subject, main.concurrencies[0])
    const at1 = unaryRow(scenarios.unary, subject, main.concurrencies[1])
    if (at1) report.concurrency1[subject] = mainFigures(at1)
    if (at128 && subject === 'covey') report.covey = mainFigures(at128)
    else if (at128) report.peers[subject as PeerName] = mainFigures(at128)
  }
  for (const [name, peer] of Object.entries(report.peers) as [PeerName, MainFigures][]) {
    if (!report.covey) break
    report.ratios[name] = ratio(report.covey.callsPerSecond, peer.callsPerSecond)
    report.ratiosOfBest[name] = ratio(report.covey.bestCallsPerSecond, peer.bestCallsPerSecond)
  }
  return report
}

export function thisMachine(pinned: boolean): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    pinned,
  }
}

function mainFigures(row: UnaryRow): MainFigures {
  const { callsPerSecond, p50us, p99us, bestCallsPerSecond, worstCallsPerSecond } = row
  return { callsPerSecond, p50us, p99us, bestCallsPerSecond, worstCallsPerSecond }
}
