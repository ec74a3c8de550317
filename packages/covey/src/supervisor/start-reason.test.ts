import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OutputLine, startReason, startWords } from './start-reason.ts'

const stderr = (...texts: string[]): OutputLine[] =>
  texts.map((text) => ({ stream: 'stderr', text }))
const stdout = (...texts: string[]): OutputLine[] =>
  texts.map((text) => ({ stream: 'stdout', text }))

test('what an application says of itself is the reason, without its name and its stack', () => {
  const lines = stderr(
    '(node:7) ExperimentalWarning: x is experimental',
    'user cannot start: resource "disk": no space left',
    '    at open (file:///app/disk.ts:2:5)',
    'caused by: the root',
  )
  assert.equal(startReason(lines), 'resource "disk": no space left')
  assert.deepEqual(startWords(lines), [
    'resource "disk": no space left',
    '    at open (file:///app/disk.ts:2:5)',
    'caused by: the root',
  ])
})

test('a list of mistakes becomes one line, and a long one says how many more', () => {
  const two = stderr('user cannot start: 2 settings are wrong:', '  a: missing', '  b: missing')
  assert.equal(startReason(two), '2 settings are wrong: a: missing; b: missing')
  const five = stderr('u cannot start: 5 wrong:', ...['a', 'b', 'c', 'd', 'e'].map((x) => `  ${x}`))
  assert.equal(startReason(five), '5 wrong: a; b; c; 2 more')
  const traced = stderr('u cannot start: wrong:', '  a', '    at x (y:1:1)')
  assert.equal(startReason(traced), 'wrong: a')
})

test('an error that nobody caught is the reason', () => {
  const lines = stderr(
    'node:internal/modules/esm/resolve:1',
    '        throw new ERR_MODULE_NOT_FOUND();',
    '              ^',
    '',
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/x.ts'",
    '    at finalizeResolution (node:internal/modules/esm/resolve:1:1) {',
    "  code: 'ERR_MODULE_NOT_FOUND'",
    '}',
    '',
    'Node.js v26.10.0',
  )
  assert.equal(startReason(lines), "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/x.ts'")
  assert.equal(startReason(stderr('TypeError: x', 'Node.js v26.10.0')), 'TypeError: x')
})

test('else the last error of the log counts, and else the last line that says something', () => {
  const log = (level: number, msg: string, more = {}) => JSON.stringify({ level, msg, ...more })
  const lines = [
    ...stderr('cannot reach the disk'),
    ...stdout(log(30, 'starting'), log(50, 'no disk', { err: { message: 'EIO' } }), log(40, 'bye')),
  ]
  assert.equal(startReason(lines), 'no disk: EIO')
  assert.equal(startReason(stdout(log(60, 'EIO again', { err: { message: 'EIO' } }))), 'EIO again')
  const plain = stderr('no disk', '  ', '    at x (y:1:1)', 'Node.js v26.10.0')
  assert.equal(startReason(plain), 'no disk')
  assert.equal(startReason(stderr('no disk', log(40, 'a warning'))), 'no disk')
  assert.equal(startReason(stdout('loading')), undefined)
  assert.equal(startReason([]), undefined)
})

test('words of processes that are not ours are all of their standard error', () => {
  const lines = [...stdout('loading'), ...stderr('usage: x', '', '  --port <n>')]
  assert.deepEqual(startWords(lines), ['usage: x', '  --port <n>'])
})
