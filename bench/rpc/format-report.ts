import type { Report } from './report.ts'
import { unaryRow } from './results.ts'
import type { SubjectName } from './subjects.ts'
import type { Target } from './targets.ts'

type Cell = string | number | undefined

/** The report for people: a table for each scenario that was run, then the targets. */
export function formatReport(report: Report): string {
  const { node, cpu, cores, pinned } = report.machine
  const { scenarios } = report
  const skipped = Object.entries(report.skipped).map(([name, why]) => `${name} is left out: ${why}`)
  const parts = [
    [`RPC between two processes; Node ${node}, ${cpu}, ${cores} cores${pinned ? ', pinned' : ''}`],
    skipped,
    mainTable(report),
    table(
      'Other loads (median round)',
      ['subject', 'payload', 'conns', 'in flight', 'calls/s', 'best', 'worst', 'p50 µs', 'p99 µs'],
      otherLoads(report),
    ),
    table(
      'Server streams of 100-byte messages',
      ['subject', 'streams', 'messages/s'],
      scenarios.serverStream.map((row) => [row.subject, row.streams, row.messagesPerSecond]),
    ),
    table(
      'One stream of 1 GiB in chunks of 64 KiB; memory above idle',
      ['subject', 'MB/s', 'best', 'worst', 'server MiB', 'client MiB'],
      scenarios.bulk.map((row) => [
        row.subject,
        row.megabytesPerSecond,
        row.bestMegabytesPerSecond,
        row.worstMegabytesPerSecond,
        mebibytes(row.serverAboveIdleBytes),
        mebibytes(row.clientAboveIdleBytes),
      ]),
    ),
    table(
      'Idle connections beside 1,000 calls/s',
      ['subject', 'held', 'bytes each', 'p50 without', 'with', 'p99 without', 'with'],
      scenarios.idleConnections.map((row) => [
        row.subject,
        row.connections,
        row.serverBytesPerConnection,
        row.unloadedP50us,
        row.loadedP50us,
        row.unloadedP99us,
        row.loadedP99us,
      ]),
    ),
    table(
      'Start of a process to its first call, ms',
      ['subject', 'server', 'client', 'both'],
      scenarios.startup.map((row) => [row.subject, row.serverMs, row.clientMs, row.totalMs]),
    ),
    table(
      'Middlewares, µs a call within one process',
      ['subject', 'none', '+ 5 on', '+ 5 passing', '+ 5 off'],
      scenarios.middleware.map((row) => [
        row.subject,
        row.noneUs,
        row.fiveOnUs,
        row.fivePassingUs,
        row.fiveOffUs,
      ]),
    ),
    overloadTable(report),
    table('Targets', ['', 'wanted', 'found', ''], report.targets.map(targetCells)),
  ]
  return parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')
}

function overloadTable({ scenarios }: Report): string[] {
  return table(
    'Overload: calls of 2 ms of the processor that are worth 500 ms',
    ['times', 'admission', 'peak/s', 'good/s', '%', 'refused/s', 'µs each', 'p99 ms', '% after'],
    scenarios.overload.map((row) => [
      row.times,
      row.admission ? 'on' : 'off',
      row.peakPerSecond,
      row.goodPerSecond,
      row.goodPercent,
      row.refusedPerSecond,
      row.refuseUs ?? undefined,
      row.p99ms,
      row.recoveredPercent,
    ]),
  )
}

function mainTable(report: Report): string[] {
  const { unary } = report.scenarios
  const names = [...new Set(unary.map((row) => row.subject))]
  const rows = names.flatMap((subject) => {
    const at128 = unaryRow(unary, subject, 128)
    const at1 = unaryRow(unary, subject, 1)
    const ratio = subject === 'covey' ? '' : report.ratios[subject]?.toFixed(2)
    const cells = at128 && [
      subject,
      at128.callsPerSecond,
      at128.bestCallsPerSecond,
      at128.worstCallsPerSecond,
      at128.p50us,
      at128.p99us,
      ratio,
    ]
    return cells ? [[...cells, at1?.callsPerSecond, at1?.p50us, at1?.p99us]] : []
  })
  const head = ['128 in flight:', 'calls/s', 'best', 'worst', 'p50 µs', 'p99 µs', 'covey / it']
  const title = 'Echo of 100 bytes on one connection (median round)'
  return table(title, [...head, 'at 1: calls/s', 'p50 µs', 'p99 µs'], rows)
}

function otherLoads({ scenarios }: Report): Cell[][] {
  const shown = (subject: SubjectName) =>
    [128, 1].map((concurrency) => unaryRow(scenarios.unary, subject, concurrency))
  return scenarios.unary
    .filter((row) => !shown(row.subject).includes(row))
    .map((row) => [
      row.subject,
      row.payload,
      row.connections,
      row.concurrency,
      row.callsPerSecond,
      row.bestCallsPerSecond,
      row.worstCallsPerSecond,
      row.p50us,
      row.p99us,
    ])
}

function targetCells({ name, atLeast, atMost, value, met, stretch }: Target): Cell[] {
  const wanted = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`
  const answer = met === null ? 'not measured' : met ? 'met' : 'missed'
  return [name, wanted, value ?? '', stretch ? `${answer} (stretch)` : answer]
}

/** Nothing without rows. The first column is text, to the left; the others to the right. */
function table(title: string, head: string[], rows: Cell[][]): string[] {
  if (rows.length === 0) return []
  const lines = [head, ...rows].map((cells) => cells.map((cell) => String(cell ?? '')))
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const format = (line: string[]) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]! + 2),
      )
      .join('')
      .trimEnd()
  return [title, ...lines.map(format)]
}

function mebibytes(bytes: number): number {
  return Number((bytes / 1024 ** 2).toFixed(1))
}
