import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientReport } from './client.ts'
import { createReport, formatReport } from './report.ts'

const machine = { node: 'v26.0.0', cpu: 'test', cores: 2 }

test('at 128 the best round counts, with the latencies of that round', () => {
  const rounds = [round(200, 90), round(500, 10), round(300, 9)]
  const report = createReport({ covey: rounds }, machine)
  assert.deepEqual(report.covey, { callsPerSecond: 500, p50us: 501, p99us: 502 })
})

test('at 1 the median round counts, and the slower one of two', () => {
  const rounds = [round(200, 90), round(500, 10), round(300, 9)]
  const report = createReport({ covey: rounds, nestjs: rounds.slice(0, 2) }, machine)
  assert.deepEqual(report.concurrency1.covey, { callsPerSecond: 10, p50us: 11, p99us: 12 })
  assert.equal(report.concurrency1.nestjs?.callsPerSecond, 10)
})

test('a ratio is the calls per second of Covey over those of the peer, at 128', () => {
  const rounds = { covey: [round(300, 1)], bareJson: [round(400, 9)], grpcJs: [round(90, 9)] }
  const report = createReport(rounds, machine)
  assert.deepEqual(report.ratios, { bareJson: 0.75, grpcJs: 3.333 })
  assert.deepEqual(Object.keys(report.peers), ['bareJson', 'grpcJs'])
})

test('without Covey there are no ratios, and the rest is there', () => {
  const report = createReport({ nestjs: [round(100, 10)] }, machine)
  assert.equal(report.covey, null)
  assert.deepEqual(report.ratios, {})
  assert.equal(report.peers.nestjs?.callsPerSecond, 100)
})

test('the table has one line per subject, Covey first', () => {
  const report = createReport({ bareJson: [round(400, 9)], covey: [round(300, 1)] }, machine)
  const lines = formatReport(report).split('\n').slice(-2)
  assert.match(lines[0]!, /^covey +300 +301 +302 +1 +2 +3$/)
  assert.match(lines[1]!, /^bareJson +400 +401 +402 +0\.75 +9 +10 +11$/)
})

function round(at128: number, at1: number): ClientReport {
  const figures = (calls: number) => ({
    callsPerSecond: calls,
    p50us: calls + 1,
    p99us: calls + 2,
  })
  return { concurrency128: figures(at128), concurrency1: figures(at1) }
}
