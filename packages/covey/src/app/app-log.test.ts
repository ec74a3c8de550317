import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { runInCall } from '../call/call-storage.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { createAppLog, type LogLevel } from './app-log.ts'

const { methods } = defineContract('t', { run: unary() })

function record(level: LogLevel) {
  const lines: Record<string, unknown>[] = []
  const log = createAppLog('shop', level, {
    write: (text) => void lines.push(JSON.parse(text) as Record<string, unknown>),
  })
  return { log, lines }
}

test('a line carries the application, and the trace of the call it was written in', () => {
  const { log, lines } = record('info')
  log.info({ port: 1 }, 'outside')
  const call = new Call(methods.run, undefined)
  runInCall(call, () => log.warn({}, 'inside'))
  assert.deepEqual([lines[0]!.app, lines[0]!.port, lines[0]!.msg], ['shop', 1, 'outside'])
  assert.equal(lines[0]!.traceId, undefined)
  assert.equal(lines[1]!.traceId, call.trace.traceId)
})

test('lines below the level are not written; children add their fields', () => {
  const { log, lines } = record('warn')
  log.info({}, 'no')
  log.child({ part: 'door' }).error({}, 'yes')
  assert.deepEqual(
    lines.map(({ msg, part }) => [msg, part]),
    [['yes', 'door']],
  )
})

test('what is named like a secret is masked, at the top and below', () => {
  const { log, lines } = record('info')
  const secret = 'hunter2'
  const headers = { 'set-cookie': secret, cookie: secret, authorization: secret }
  log.info({ password: secret, user: { token: secret, name: 'ada' }, headers }, 'who')
  assert.doesNotMatch(JSON.stringify(lines), /hunter2/)
  assert.equal((lines[0]!.user as { name: string }).name, 'ada')
})
