import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Call } from '../call/call.ts'
import { runInCall } from '../call/call-storage.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { echo } from '../testing/fixtures/echo-contract.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
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

test('with the level debug an application writes a line for each call, with info none', {
  timeout: 30_000,
}, async () => {
  for (const level of ['debug', 'info'] as const) {
    const script = fileURLToPath(new URL('../testing/fixtures/echo-server.ts', import.meta.url))
    const args = [script, 'memory:', String(await freePort()), level]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let said = ''
      child.stdout.on('data', (bytes) => {
        said += String(bytes)
      })
      const address = () => /^tcp:.*$/m.exec(said)?.[0]
      await until(() => address() !== undefined, 'it listens', 20_000)
      await using runtime = createRuntime({ registry: 'memory:' })
      await createClient(echo, { runtime, target: address()! }).echo('hello')
      child.kill('SIGTERM')
      await once(child, 'exit')
      assert.equal(/"msg":"echo\.echo answered in [\d.]+ ms"/.test(said), level === 'debug', said)
    } finally {
      child.kill('SIGKILL')
    }
  }
})
