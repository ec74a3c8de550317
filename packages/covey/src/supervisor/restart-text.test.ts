import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restartText, whyNotStarted } from './restart-text.ts'

const end = 'exited with code 1'
const failed = { attempt: 7, repeated: true, reason: 'no disk', words: [] }

test('a restart says what happened, when it goes on, and what to do', () => {
  const later = { end, restartMs: 100, start: undefined, first: false }
  assert.equal(
    restartText('user-0', later),
    'user-0 exited with code 1 and is started again in 100 ms',
  )
  const first = { ...later, start: { ...failed, repeated: false }, first: true }
  assert.equal(
    restartText('user-0', first),
    'user-0 exited with code 1 and is started again in 100 ms; the fleet waits until it is ready, Ctrl-C stops everything',
  )
})

test('one of a series says the reason in its line', () => {
  const again = { end, restartMs: 12_300, start: failed, first: true }
  assert.equal(
    restartText('user-0', again),
    'user-0 exited with code 1, same reason: no disk; attempt 7, next try in 12 s',
  )
  assert.equal(
    restartText('user-0', { ...again, start: { ...failed, reason: undefined } }),
    'user-0 exited with code 1 again; attempt 7, next try in 12 s',
  )
})

test('why a fleet does not start is told once, and not at endless length', () => {
  assert.equal(whyNotStarted('user-0', ['no disk'], 'silent'), 'user-0 cannot start: no disk')
  assert.equal(whyNotStarted('user-0', [], 'silent'), 'user-0 cannot start: silent')
  assert.equal(
    whyNotStarted('user-0', ['2 wrong:', '    a', 'b'], 'silent'),
    'user-0 cannot start: 2 wrong:\n    a\n  b',
  )
  const many = Array.from({ length: 31 }, (_, at) => `line ${at}`)
  const lines = whyNotStarted('user-0', many, 'silent').split('\n')
  assert.equal(lines.length, 22)
  assert.deepEqual(lines.slice(0, 3), [
    'user-0 cannot start: line 0',
    '  … 10 more lines',
    '  line 11',
  ])
})
