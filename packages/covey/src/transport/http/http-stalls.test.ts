import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { systemClock } from '../../base/clock.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { defineService } from '../../contract/define-service.ts'
import { serverStream } from '../../contract/method.ts'
import { createGateway } from '../../gateway/create-gateway.ts'
import { silentLog } from '../../observe/log.ts'
import { createClient } from '../../rpc/create-client.ts'
import { createRuntime } from '../../rpc/runtime.ts'
import { startChaosProxy } from '../../testing/chaos-proxy.ts'
import { startChildServer } from '../../testing/child-server.ts'
import { echo } from '../../testing/fixtures/echo-contract.ts'
import { openHttpBench, raw } from '../../testing/fixtures/http-bench.ts'
import { freePort } from '../../testing/free-port.ts'
import { clientOver } from '../../testing/tcp-line.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import type { ConnectionEvents } from '../transport.ts'
import { connectHttp } from './client.ts'
import { mediaType } from './wire.ts'

// Peers that stand still, and this process itself, over HTTP.

const limited = { timeout: 60_000 }

function dial(url: string, limits: Partial<Limits> = {}, events: ConnectionEvents = {}) {
  const options = { clock: systemClock, limits: { ...defaultLimits, ...limits }, ...events }
  return connectHttp(url, options)
}

/** Holds this process up. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('a client that stood still for longer than its patience loses no call', limited, async () => {
  await using server = await startChildServer('memory:', 'http')
  await using connection = await dial(server.address)
  const api = clientOver(echo, connection)
  await api.echo('connected')
  const call = api.echo('answered meanwhile', { timeoutMs: 20_000 })
  const ticks = api.ticks()[Symbol.asyncIterator]()
  await ticks.next()
  block(3_500)
  assert.equal(await call, 'answered meanwhile')
  assert.equal((await ticks.next()).done, false)
  assert.equal(await api.echo('still here'), 'still here')
  assert.equal(connection.state, 'open')
  await ticks.return?.()
})

test(
  'a server that stands still is stalled, open again when it is heard, and gone if it is not',
  limited,
  async () => {
    await using server = await startChildServer('memory:', 'http')
    let changes = 0
    const limits = { silenceMs: 5_000, stallMs: 400 }
    await using connection = await dial(server.address, limits, { onStalled: () => void changes++ })
    const api = clientOver(echo, connection)
    await api.echo('connected')
    server.signal('SIGSTOP')
    const call = api.echo('late', { timeoutMs: 30_000 })
    await until(() => connection.state === 'stalled', 'it is stalled')
    assert.ok(connection.stalledMs! >= 200)
    server.signal('SIGCONT')
    assert.equal(await call, 'late')
    await until(() => connection.state === 'open', 'it is back')
    assert.equal(changes, 2)
    server.signal('SIGSTOP')
    await assert.rejects(api.echo('never', { timeoutMs: 30_000 }), /CONNECTION_LOST|nothing heard/)
    assert.equal(connection.state, 'closed')
  },
)

test(
  'an idle client asks nothing for seconds: the system looks after its link',
  limited,
  async () => {
    await using bench = await openHttpBench()
    await using proxy = await startChaosProxy(`tcp://127.0.0.1:${bench.port}`)
    await using connection = await dial(proxy.address.replace('tcp:', 'http:'))
    const { accepted } = proxy
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    // Nothing was to be heard, so nothing was asked: the link is the only socket.
    assert.equal(proxy.accepted, accepted)
    assert.equal(connection.state, 'open')
  },
)

test(
  'a link whose client asks stays, one whose client does not is let go of',
  limited,
  async () => {
    await using bench = await openHttpBench({ limits: { idlePingMs: 150 } })
    await using connection = await dial(bench.url, { silenceMs: 30_000 })
    const head = ['GET /rpc HTTP/1.1', 'host: a', `accept: ${mediaType.frames}`, '', '']
    const startMs = performance.now()
    await raw(bench.port, head.join('\r\n'))
    assert.ok(performance.now() - startMs > 290, 'not before twice its time')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    assert.equal(connection.state, 'open')
  },
)

test('who asks for a link has to know its name, and needs no token for it', limited, async () => {
  let asked = 0
  const authenticate = async () => {
    asked += 1
    return { subject: 'ada', claims: {} }
  }
  await using bench = await openHttpBench({ authenticate, limits: { idlePingMs: 100 } })
  await using connection = await dial(bench.url, { silenceMs: 30_000 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.deepEqual([connection.state, asked], ['open', 1])
  const ask = (query: string) => fetch(`${bench.url}/rpc${query}`, { method: 'HEAD' })
  assert.equal((await ask('?link=none')).status, 404)
  assert.equal((await ask('?link=')).status, 404)
  assert.equal(asked, 1)
  assert.equal((await ask('')).status, 200)
  assert.equal(asked, 2)
})

const ticker = defineContract('ticker', { ticks: serverStream({ output: z.number() }) })

test('a gateway, which is more patient than a client, keeps its link', limited, async () => {
  const tickerService = defineService(ticker, {
    async *ticks() {
      yield 1
      await new Promise((resolve) => setTimeout(resolve, 3_600))
      yield 2
    },
  })
  await using runtime = createRuntime({ registry: 'memory:' })
  const context = { instance: 'gateway-1', runtime, log: silentLog }
  const port = await freePort()
  await using gateway = await createGateway({ context, port, services: [tickerService], http: {} })
  const got: number[] = []
  for await (const n of createClient(ticker, { target: gateway.url, runtime }).ticks()) got.push(n)
  assert.deepEqual(got, [1, 2])
})
