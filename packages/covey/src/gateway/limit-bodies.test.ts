import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { z } from 'zod'
import { type Clock, systemClock } from '../base/clock.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream } from '../contract/method.ts'
import { silentLog } from '../observe/log.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { freePort } from '../testing/free-port.ts'
import { createGateway } from './create-gateway.ts'

const limited = { timeout: 20_000 }

const counter = defineContract('counter', {
  sum: clientStream({ input: z.number(), output: z.number() }),
})

const counterService = defineService(counter, {
  async sum(numbers) {
    let sum = 0
    for await (const number of numbers) sum += number
    return sum
  },
})

/** To which half a minute is a third of a second. */
const hasty: Clock = {
  ...systemClock,
  after: (delayMs, run) => systemClock.after(delayMs < 30_000 ? delayMs : delayMs / 100, run),
}

async function open() {
  let requestTimeout: number | undefined
  const runtime = createRuntime({ registry: 'memory:', clock: hasty })
  const gateway = await createGateway({
    context: { instance: 'gateway-1', runtime, log: silentLog },
    port: await freePort(),
    services: [counterService],
    http: {},
    routes(http) {
      requestTimeout = http.server.requestTimeout
      http.get('/page', () => 'page')
      http.post('/text', ({ body }) => ({ body }))
    },
  })
  return { gateway, requestTimeout }
}

/** What comes back, and after how many milliseconds the connection is closed. */
async function exchange(url: string, request: string): Promise<{ text: string; tookMs: number }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const startMs = performance.now()
  let text = ''
  socket.on('data', (bytes) => {
    text += String(bytes)
  })
  socket.on('error', () => {}).write(request)
  await new Promise((resolve) => socket.once('close', resolve))
  return { text, tookMs: performance.now() - startMs }
}

const half = 'host: 127.0.0.1\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nhalf'

test('a body of a route has half a minute, also where nobody reads it', limited, async () => {
  const { gateway } = await open()
  await using _gateway = gateway
  const read = await exchange(gateway.url, `POST /text HTTP/1.1\r\n${half}`)
  assert.match(read.text, /^HTTP\/1\.1 504 .*not complete within 30000 ms/s)
  assert.ok(read.tookMs < 5_000)
  const unread = await exchange(gateway.url, `GET /page HTTP/1.1\r\n${half}`)
  assert.match(unread.text, /^HTTP\/1\.1 200 .*page/s)
  assert.ok(unread.tookMs > 250 && unread.tookMs < 5_000, `${unread.tookMs} ms`)
})

test('a stream of a caller goes on for as long as it lasts', limited, async () => {
  const { gateway, requestTimeout } = await open()
  await using _gateway = gateway
  // Node's own limit, which is for all requests, would be over after its time by the machine's clock.
  assert.equal(requestTimeout, 0)
  await using runtime = createRuntime({ registry: 'memory:' })
  async function* slowly() {
    for (let number = 1; number <= 4; number++) {
      yield number
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  assert.equal(await createClient(counter, { target: gateway.url, runtime }).sum(slowly()), 10)
  const lines = ['POST /rpc/counter/sum HTTP/1.1', 'host: 127.0.0.1', 'transfer-encoding: chunked']
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (bytes) => {
    text += String(bytes)
  })
  socket.write([...lines, 'content-type: application/x-ndjson', '', '2\r\n1\n\r\n'].join('\r\n'))
  await new Promise((resolve) => setTimeout(resolve, 700))
  socket.write('2\r\n6\n\r\n0\r\n\r\n')
  await new Promise((resolve) => socket.once('data', resolve))
  assert.match(text, /^HTTP\/1\.1 200 .*7$/s)
  socket.destroy()
})
