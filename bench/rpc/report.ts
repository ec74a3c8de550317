import { availableParallelism, cpus } from 'node:os'
import type { ClientReport } from './client.ts'
import type { Figures } from './measure.ts'
import type { SubjectName } from './subjects.ts'

/** The rounds of each subject that was measured, in order. */
export type Rounds = Partial<Record<SubjectName, ClientReport[]>>

type PeerName = Exclude<SubjectName, 'covey'>

/**
 * The result as `--json` prints it. Subjects left out by `--only` are absent; `covey` is null then.
 */
export interface Report {
  /** At concurrency 128, like `peers` and `ratios`. */
  covey: Figures | null
  peers: Partial<Record<PeerName, Figures>>
  /** Covey's calls per second over the peer's: above 1, Covey is faster. */
  ratios: Partial<Record<PeerName, number>>
  concurrency1: Partial<Record<SubjectName, Figures>>
  machine: Machine
}

export interface Machine {
  node: string
  cpu: string
  cores: number
}

/**
 * At concurrency 128 the best round of each subject counts: other work on the machine only ever
 * slows a round down, and it slows those most that use two cores at once, so that a median would
 * flatter the others. At concurrency 1 the median round counts, of an even number the lower middle
 * one: a round is up to three times as fast when the kernel happens to keep both processes on one
 * core, and the best would be the luckiest. Latencies are those of the round that counts.
 */
export function createReport(rounds: Rounds, machine = thisMachine()): Report {
  const report: Report = { covey: null, peers: {}, ratios: {}, concurrency1: {}, machine }
  for (const [name, all] of Object.entries(rounds) as [SubjectName, ClientReport[]][]) {
    report.concurrency1[name] = median(all.map((round) => round.concurrency1))
    const figures = best(all.map((round) => round.concurrency128))
    if (name === 'covey') report.covey = figures
    else report.peers[name] = figures
  }
  for (const [name, peer] of Object.entries(report.peers) as [PeerName, Figures][]) {
    if (!report.covey) break
    const ratio = report.covey.callsPerSecond / peer.callsPerSecond
    report.ratios[name] = Number(ratio.toFixed(3))
  }
  return report
}

/** The report for people: one line per subject. */
export function formatReport(report: Report): string {
  const { node, cpu, cores } = report.machine
  const measured: Partial<Record<SubjectName, Figures>> = { ...report.peers }
  const all = report.covey ? { covey: report.covey, ...measured } : measured
  const lines = (Object.entries(all) as [SubjectName, Figures][]).map(([name, at128]) => {
    const ratio = name === 'covey' ? '' : (report.ratios[name]?.toFixed(2) ?? '')
    return row([name, ...columns(at128), ratio, ...columns(report.concurrency1[name])])
  })
  return [
    `RPC echo, ~100 bytes, one connection, two processes; Node ${node}, ${cpu}, ${cores} cores`,
    '',
    row(['', 'at 128:', '', '', 'covey', 'at 1:', '', '']),
    row(['subject', 'calls/s', 'p50 µs', 'p99 µs', '/ peer', 'calls/s', 'p50 µs', 'p99 µs']),
    ...lines,
  ].join('\n')
}

function best(figures: Figures[]): Figures {
  return figures.reduce((a, b) => (b.callsPerSecond > a.callsPerSecond ? b : a))
}

function median(figures: Figures[]): Figures {
  const sorted = figures.toSorted((a, b) => a.callsPerSecond - b.callsPerSecond)
  return sorted[Math.floor((sorted.length - 1) / 2)]!
}

function columns(figures: Figures | undefined): string[] {
  if (!figures) return ['', '', '']
  return [figures.callsPerSecond, figures.p50us, figures.p99us].map(String)
}

function row([name = '', ...cells]: string[]): string {
  return name.padEnd(10) + cells.map((cell) => cell.padStart(9)).join('')
}

function thisMachine(): Machine {
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
  }
}
