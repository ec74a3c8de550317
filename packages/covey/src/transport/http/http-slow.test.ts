import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { createGateway } from '../../gateway/create-gateway.ts'
import { silentLog } from '../../observe/log.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { openHttpBench } from '../../testing/fixtures/http-bench.ts'
import { freePort } from '../../testing/free-port.ts'

/** Sends a header a byte a second, and tells after how many milliseconds of it the connection ends. */
function trickle(port: number): Promise<number> {
  const startMs = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).resume()
  socket.write('GET /rpc HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ')
  const timer = setInterval(() => void (socket.writable && socket.write('y')), 1_000)
  return new Promise((resolve) => {
    socket.once('close', () => {
      clearInterval(timer)
      resolve(performance.now() - startMs)
    })
  })
}

// Node looks after such connections every 30 seconds unless it is told otherwise.
test('headers that trickle have 10 seconds, at the port for calls and at a gateway', {
  timeout: 60_000,
}, async () => {
  await using bench = await openHttpBench()
  const context = {
    instance: 'gateway-1',
    runtime: createRuntime({ registry: 'memory:' }),
    log: silentLog,
  }
  const port = await freePort()
  await using _gateway = await createGateway({ context, port, services: [] })
  for (const tookMs of await Promise.all([trickle(bench.port), trickle(port)])) {
    assert.ok(tookMs > 9_900 && tookMs < 20_000, `${Math.round(tookMs)} ms`)
  }
})
