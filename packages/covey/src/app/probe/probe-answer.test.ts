import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probeAnswer } from './probe-answer.ts'
import type { ProbeState } from './probe-board.ts'

const limits = { blockedMs: 750, deadMs: 30_000 }

function ask(path: string, state: ProbeState, stalledMs: number, more = limits) {
  const { status, body } = probeAnswer('GET', path, { state, stalledMs }, more)
  return [status, JSON.parse(body)]
}

test('ready is what runs, turns, and is not about to stop', () => {
  assert.deepEqual(ask('/ready', 'ready', 0), [200, { ready: true }])
  assert.deepEqual(ask('/ready', 'ready', 749), [200, { ready: true }])
  assert.deepEqual(ask('/ready', 'ready', 750), [
    503,
    { ready: false, reason: 'blocked', forMs: 750 },
  ])
  assert.deepEqual(ask('/ready', 'starting', 0), [503, { ready: false, reason: 'starting' }])
  assert.deepEqual(ask('/ready', 'draining', 0), [503, { ready: false, reason: 'draining' }])
  const [status, body] = ask('/ready', 'starting', 1_234.5)
  assert.deepEqual([status, body.reason, body.forMs], [503, 'blocked', 1_234])
})

test('alive is what has turned within a long time, whatever it is doing', () => {
  for (const state of ['starting', 'ready', 'draining'] as const) {
    assert.deepEqual(ask('/live', state, 29_999), [200, { live: true }])
    assert.deepEqual(ask('/live', state, 30_000), [
      503,
      { live: false, reason: 'blocked', forMs: 30_000 },
    ])
  }
})

test('what is dead is not ready, whatever the settings say', () => {
  const [status] = ask('/ready', 'ready', 1_000, { blockedMs: 60_000, deadMs: 1_000 })
  assert.equal(status, 503)
})

test('nothing else is answered', () => {
  const facts = { state: 'ready', stalledMs: 0 } as const
  assert.equal(probeAnswer('HEAD', '/ready', facts, limits).status, 200)
  assert.equal(probeAnswer('POST', '/ready', facts, limits).status, 405)
  for (const path of ['/', '/readyz', '/ready/', '/metrics', '']) {
    assert.equal(probeAnswer('GET', path, facts, limits).status, 404, path)
  }
})
