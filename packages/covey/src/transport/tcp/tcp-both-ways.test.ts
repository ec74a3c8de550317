import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CoveyError } from '../../error/covey-error.ts'
import { startChaosProxy } from '../../testing/chaos-proxy.ts'
import { startChildServer } from '../../testing/child-server.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { echoService } from '../../testing/fixtures/echo-service.ts'
import { clientOver, dialTcp, serveTcp } from '../../testing/tcp-line.ts'

// Much traffic both ways, more than what the systems of both ends hold.

const mebibyte = 1024 * 1024

function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'OK',
    ({ code, message }: CoveyError) => `${code}: ${message}`,
  )
}

test('calls and answers that fill all there is between both ends do not wait for each other', async () => {
  await using listener = await serveTcp(echoService)
  await using connection = await dialTcp(listener.address)
  const api = clientOver(echo, connection)
  const text = 'x'.repeat(mebibyte)
  const calls = Array.from({ length: 60 }, () => outcome(api.echo(text, { timeoutMs: 20_000 })))
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['OK']))
})

test('a client that sends much over a slow line is not cut off while bytes flow', async () => {
  await using server = await startChildServer()
  await using proxy = await startChaosProxy(server.address)
  proxy.set({ bytesPerSecond: 6 * mebibyte }, 'up')
  await using connection = await dialTcp(proxy.address, { slowReaderMs: 1_000, pingMs: 200 })
  const api = clientOver(echo, connection)
  const text = 'x'.repeat(mebibyte)
  // Four seconds of it, and less than one is in the buffers of the system.
  const calls = Array.from({ length: 24 }, () => outcome(api.echo(text, { timeoutMs: 20_000 })))
  assert.deepEqual(new Set(await Promise.all(calls)), new Set(['OK']))
})
