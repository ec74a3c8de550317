import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from '../error/covey-error.ts'
import { ConnectionLife } from './connection-life.ts'

test('a connection is open, draining, closed; each is news once', async () => {
  const life = new ConnectionLife()
  assert.equal(life.state, 'open')
  assert.deepEqual([life.drain(), life.drain(), life.state], [true, false, 'draining'])
  const reason = new CoveyError('CONNECTION_LOST', 'gone')
  assert.deepEqual([life.end(reason), life.end(undefined), life.state], [true, false, 'closed'])
  assert.equal(await life.closed, reason)
})

test('a connection that is closed does not drain any more', () => {
  const life = new ConnectionLife()
  life.end(undefined)
  assert.deepEqual([life.drain(), life.state], [false, 'closed'])
})
