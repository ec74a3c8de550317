import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback } from './is-loopback.ts'

test('this machine alone is known in all forms, and nothing else is taken for it', () => {
  const own = [
    '127.0.0.1',
    '127.9.8.7',
    '::1',
    '[::1]',
    'localhost',
    'LocalHost',
    '::ffff:127.0.0.1',
  ]
  const others = [
    '',
    '0.0.0.0',
    '::',
    '128.0.0.1',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '::ffff:10.0.0.1',
    '127.1',
    '2130706433',
  ]
  assert.deepEqual(
    own.filter((host) => !isLoopback(host)),
    [],
  )
  assert.deepEqual(others.filter(isLoopback), [])
})
