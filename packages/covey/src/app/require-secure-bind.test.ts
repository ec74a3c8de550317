import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireSecureBind } from './require-secure-bind.ts'

const nothing = { keys: false, tls: false, allowInsecure: false }

test('this machine alone needs no guard', () => {
  const hosts = [
    '127.0.0.1',
    '127.9.8.7',
    '::1',
    '[::1]',
    'localhost',
    'LOCALHOST',
    '::ffff:127.0.0.1',
  ]
  for (const host of hosts) requireSecureBind(host, nothing)
})

test('where others may connect, something has to ask who they are', () => {
  const hosts = [
    '0.0.0.0',
    '::',
    '10.0.0.7',
    '192.168.1.1',
    '128.0.0.1',
    '127.0.0.1.example.org',
    'localhost.example.org',
    '::ffff:10.0.0.1',
    '',
  ]
  for (const host of hosts) {
    assert.throws(() => requireSecureBind(host, nothing), {
      code: 'INVALID_SETTINGS',
      message: /covey\.keys or covey\.tls .*covey\.allowInsecure: true/,
    })
    for (const guard of ['keys', 'tls', 'allowInsecure']) {
      requireSecureBind(host, { ...nothing, [guard]: true })
    }
  }
})
