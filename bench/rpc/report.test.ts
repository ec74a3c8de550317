import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatReport } from './format-report.ts'
import type { PayloadName } from './payloads.ts'
import { createReport } from './report.ts'
import type { Scenarios } from './results.ts'
import type { OverloadRow } from './scenarios/overload.ts'
import type { UnaryRow } from './scenarios/unary.ts'
import type { SubjectName } from './subjects.ts'

const machine = { node: 'v26.0.0', cpu: 'test', cores: 2, pinned: false }
const none: Scenarios = {
  unary: [],
  serverStream: [],
  bulk: [],
  idleConnections: [],
  startup: [],
  middleware: [],
  overload: [],
}

test('the main figures are those of 100 bytes, one connection, at 128 and at 1', () => {
  const unary = [
    row('covey', 300),
    row('covey', 30, { concurrency: 1 }),
    row('covey', 999, { connections: 4 }),
    row('covey', 998, { payload: '1KiB' }),
    row('trpc', 100, { connections: 'as needed' }),
  ]
  const report = createReport({ ...none, unary }, {}, machine)
  assert.deepEqual(report.covey, figures(300))
  assert.deepEqual(report.concurrency1, { covey: figures(30) })
  assert.deepEqual(report.peers, { trpc: figures(100) })
})

test('a ratio is the calls per second of Covey over those of the peer, at 128', () => {
  const best = { bestCallsPerSecond: 800 }
  const unary = [row('covey', 300, best), row('bareJson', 400), row('grpcJs', 90)]
  const report = createReport({ ...none, unary }, {}, machine)
  assert.deepEqual(report.ratios, { bareJson: 0.75, grpcJs: 3.333 })
  assert.deepEqual(report.ratiosOfBest, { bareJson: 2, grpcJs: 8.889 })
})

test('without Covey there are no ratios, and the rest is there', () => {
  const report = createReport({ ...none, unary: [row('nestjs', 100)] }, {}, machine)
  assert.equal(report.covey, null)
  assert.deepEqual(report.ratios, {})
  assert.equal(report.peers.nestjs?.callsPerSecond, 100)
})

test('a target is met, missed or not measured, by the figures of its scenario', () => {
  const idle = {
    subject: 'covey',
    connections: 10_000,
    serverBytesPerConnection: 9_000,
    callsPerSecond: 1_000,
    unloadedP50us: 100,
    unloadedP99us: 200,
    loadedP50us: 100,
    loadedP99us: 600,
  } as const
  const memory = { serverAboveIdleBytes: 60 * 1024 ** 2, clientAboveIdleBytes: 10 * 1024 ** 2 }
  const bulk = [bulkRow('covey', 800, memory), bulkRow('netPipe', 1_000, memory)]
  const unary = [
    row('covey', 300),
    row('bareJson', 400),
    row('moleculer', 100),
    row('grpcJs', 13),
    row('covey', 130, { payload: 'list50' }),
    row('bareJson', 100, { payload: 'list50' }),
    row('covey', 160, { payload: 'list50distinct' }),
    row('bareJson', 100, { payload: 'list50distinct' }),
    row('covey', 10, { concurrency: 1, p50us: 25 }),
    row('bareJson', 10, { concurrency: 1, p50us: 20 }),
  ]
  const cost = { noneUs: 2, fiveOnUs: 0.51, fivePassingUs: 0.1, fiveOffUs: 0.05 }
  const middleware = [{ subject: 'covey' as const, ...cost }]
  const overload = [overloadRow(10, 96, 5.5), overloadRow(40, 89, 4.5)]
  const all = { ...none, unary, bulk, idleConnections: [idle], middleware, overload }
  const { targets } = createReport(all, {}, machine)
  assert.deepEqual(
    targets.map(({ name, value, met }) => [name, value, met]),
    [
      ['calls/s at 128, Covey / moleculer', 3, true],
      ['calls/s at 128, Covey / nestjs', null, null],
      ['calls/s at 128, Covey / grpcJs', 23.077, false],
      ['calls/s at 128, Covey / goNetRpc', null, null],
      ['calls/s at 128, Covey / bareJson', 0.75, false],
      ['calls/s at 128, Covey / bareJson', 0.75, false],
      ['p50 at 1, Covey / bareJson', 1.25, true],
      ['calls/s of list50 at 128, Covey / bareJson', 1.3, false],
      ['calls/s of list50distinct at 128, Covey / bareJson', 1.6, true],
      ['bytes/s of 1 GiB, Covey / netPipe', 0.8, true],
      ['memory above idle during 1 GiB, both processes, MiB', 70, false],
      ['idle connections held', 10_000, true],
      ['server memory per idle connection, bytes', 9_000, false],
      ['p99 of 1,000 calls/s, with idle connections / without', 3, true],
      ['five middlewares on, µs per call', 0.51, false],
      ['five middlewares off, µs per call', 0.05, true],
      ['answers in time at 10 × the load, % of the peak', 96, true],
      ['answers in time at 40 × the load, % of the peak', 89, false],
      ['what a refused call costs, µs', 4.5, true],
      ['answers in time a second after it, %', 99.2, true],
    ],
  )
})

test('the table has one line per subject, what was not run is left out, what was skipped is named', () => {
  const unary = [
    row('covey', 300),
    row('covey', 30, { concurrency: 1 }),
    row('bareJson', 400),
    row('covey', 77, { payload: '16KiB' }),
  ]
  const skipped = { goNetRpc: 'no Go compiler' }
  const text = formatReport(createReport({ ...none, unary }, skipped, machine))
  const lines = text.split('\n').map((line) => line.replaceAll(/ +/g, ' '))
  assert.ok(lines.includes('covey 300 300 300 301 302 30 31 32'), text)
  assert.ok(lines.includes('bareJson 400 400 400 401 402 0.75'), text)
  assert.ok(lines.includes('covey 16KiB 1 128 77 77 77 78 79'), text)
  assert.ok(lines.includes('goNetRpc is left out: no Go compiler'), text)
  assert.ok(lines.includes('calls/s at 128, Covey / bareJson ≥ 0.8 0.75 missed'), text)
  assert.doesNotMatch(text, /Server streams|1 GiB in chunks|Idle connections/)
})

function row(subject: SubjectName, calls: number, change: Partial<UnaryRow> = {}): UnaryRow {
  const payload: PayloadName = '100B'
  const load = { payload, concurrency: 128, connections: 1 }
  return { ...load, subject, ...figures(calls), rounds: [], ...change }
}

function figures(calls: number) {
  return {
    callsPerSecond: calls,
    p50us: calls + 1,
    p99us: calls + 2,
    bestCallsPerSecond: calls,
    worstCallsPerSecond: calls,
  }
}

function bulkRow(
  subject: SubjectName,
  speed: number,
  memory: { serverAboveIdleBytes: number; clientAboveIdleBytes: number },
) {
  const spread = { bestMegabytesPerSecond: speed, worstMegabytesPerSecond: speed }
  return { subject, bytes: 1, seconds: 1, megabytesPerSecond: speed, ...spread, ...memory }
}

function overloadRow(times: number, goodPercent: number, refuseUs: number): OverloadRow {
  const rates = { peakPerSecond: 500, goodPerSecond: 5 * goodPercent, refusedPerSecond: 4_000 }
  const rest = { late: 0, p50ms: 250, p99ms: 300, recoveredPercent: 99.2 }
  return { subject: 'covey', admission: true, times, goodPercent, refuseUs, ...rates, ...rest }
}
