import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { startFailureText } from './start-failure-text.ts'

const plain = { foreseen: false, debug: false }

function withStack<E extends Error>(error: E, ...frames: string[]): E {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map((at) => `    at ${at}`)].join(
    '\n',
  )
  return error
}

const inNode = 'Server.listen (node:net:2499:12)'
const alsoInNode = 'node:net:2728:7'
const asyncInNode = 'async node:internal/x:1:1'
const ours = 'open (file:///app/disk.ts:2:5)'

test('a reason is said once, and where it came from', () => {
  const cause = withStack(new Error('no space left'), ours, inNode, alsoInNode, asyncInNode)
  const error = new CoveyError('START_FAILED', 'resource "disk": no space left', { cause })
  assert.equal(
    startFailureText('user', error, plain),
    `user cannot start: resource "disk": no space left\n    at ${ours}\n`,
  )
})

test('a foreseen one is a line, or several where several things are wrong', () => {
  const error = new CoveyError('INVALID_SETTINGS', '1 setting is wrong:\n  a.b: missing', {
    cause: withStack(new Error('x'), ours),
  })
  assert.equal(
    startFailureText('user', error, { foreseen: true, debug: false }),
    'user cannot start: 1 setting is wrong:\n  a.b: missing\n',
  )
})

test('a system error, whose stack is all within Node, is one line', () => {
  const cause = withStack(new Error('listen EADDRNOTAVAIL 10.9.9.9:80'), inNode, alsoInNode)
  const error = new CoveyError('START_FAILED', 'tcp://10.9.9.9:80: no such address', { cause })
  const text = startFailureText('user', error, plain)
  assert.equal(text, 'user cannot start: tcp://10.9.9.9:80: no such address\n')
})

test('a mistake in code shows its class, its place and what was behind it', () => {
  const root = withStack(new Error('the root'), 'deep (file:///app/deep.ts:1:1)')
  const middle = withStack(new Error('the middle', { cause: root }), ours)
  const error = withStack(new TypeError('x is not a function', { cause: middle }), 'main.ts:1:1')
  assert.deepEqual(startFailureText('user', error, plain).split('\n'), [
    'user cannot start: TypeError: x is not a function',
    '    at main.ts:1:1',
    'caused by: the middle',
    `    at ${ours}`,
    'caused by: the root',
    '    at deep (file:///app/deep.ts:1:1)',
    '',
  ])
})

test('for debugging every stack is shown, also of what was foreseen', () => {
  const cause = withStack(new Error('listen EACCES'), inNode)
  const error = withStack(new CoveyError('ADDRESS_IN_USE', 'port 80', { cause }), ours)
  const text = startFailureText('user', error, { foreseen: true, debug: true })
  assert.deepEqual(text.split('\n'), [
    'user cannot start: port 80',
    `    at ${ours}`,
    'caused by: listen EACCES',
    `    at ${inNode}`,
    '',
  ])
})

test('causes that go round in a circle come to an end, and what is no error is shown', () => {
  const error = withStack(new Error('round'))
  error.cause = error
  assert.ok(startFailureText('user', error, plain).split('\n').length < 10)
  assert.equal(startFailureText('user', 'no', plain), 'user cannot start: no\n')
})
