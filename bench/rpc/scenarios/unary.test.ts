import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectNames } from '../subjects.ts'
import { planUnary, toRows } from './unary.ts'

test('by default the main table has every subject in every round, and larger payloads the closest ones', () => {
  const cases = planUnary(['covey', 'bareJson', 'nestjs'], false, 3)
  const table = cases.slice(0, 3)
  assert.deepEqual(
    table.map((one) => [one.subject, one.payload, one.connections, one.concurrencies, one.rounds]),
    ['covey', 'bareJson', 'nestjs'].map((name) => [name, '100B', 1, [128, 1], 3]),
  )
  const others = cases.slice(3)
  assert.deepEqual(new Set(others.map((one) => one.subject)), new Set(['covey', 'bareJson']))
  const covey = others.filter((one) => one.subject === 'covey')
  assert.deepEqual(
    covey.map((one) => [one.payload, one.connections, one.rounds]),
    [
      ['1KiB', 1, 3],
      ['16KiB', 1, 3],
      ['list50', 1, 3],
      ['list50distinct', 1, 3],
      ['100B', 4, 1],
    ],
  )
})

test('a full run has every payload at every concurrency, and four connections where calls share one', () => {
  const cases = planUnary(subjectNames, true, 3)
  for (const subject of ['covey', 'grpcJs', 'goNetRpc', 'fastify'] as const) {
    const own = cases.filter((one) => one.subject === subject)
    const loads = own
      .filter((one) => one.connections === 1)
      .flatMap((one) => one.concurrencies.map((concurrency) => `${one.payload} ${concurrency}`))
    const every = ['100B', '1KiB', '16KiB', 'list50', 'list50distinct'].flatMap((payload) =>
      [1, 16, 128, 1024].map((concurrency) => `${payload} ${concurrency}`),
    )
    assert.deepEqual(loads.toSorted(), every.toSorted(), subject)
    const four = own.filter((one) => one.connections === 4)
    assert.equal(four.length, subject === 'fastify' ? 0 : 1, subject)
  }
})

test('the median round counts, of an even number the slower middle one, with its own latencies', () => {
  const [row] = toRows([measured(200, 1), measured(500, 0), measured(300, undefined)])
  assert.equal(row?.callsPerSecond, 300)
  assert.equal(row?.p50us, 301)
  assert.equal(row?.bestCallsPerSecond, 500)
  assert.equal(row?.worstCallsPerSecond, 200)
  assert.deepEqual(row?.rounds, [
    { callsPerSecond: 200, sharedCore: 1 },
    { callsPerSecond: 500, sharedCore: 0 },
    { callsPerSecond: 300, sharedCore: null },
  ])
  assert.equal(toRows([measured(200, 0), measured(500, 0)])[0]?.callsPerSecond, 200)
})

test('different loads become rows of their own; HTTP/1.1 has connections as needed', () => {
  const rows = toRows([measured(1, 0), measured(2, 0, 16), measured(3, 0, 128, 'trpc')])
  assert.deepEqual(
    rows.map((row) => [row.subject, row.concurrency, row.connections, row.callsPerSecond]),
    [
      ['covey', 128, 1, 1],
      ['covey', 16, 1, 2],
      ['trpc', 128, 'as needed', 3],
    ],
  )
})

function measured(
  callsPerSecond: number,
  sharedCore: number | undefined,
  concurrency = 128,
  subject: 'covey' | 'trpc' = 'covey',
) {
  const load = { payload: '100B', concurrency, connections: 1, subject } as const
  const figures = { callsPerSecond, p50us: callsPerSecond + 1, p99us: callsPerSecond + 2 }
  return { load, figures, sharedCore }
}
