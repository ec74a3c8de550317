import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { curl } from '../testing/fixtures/http-bench.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createGateway, type Gateway } from './create-gateway.ts'
import type { GatewayOptions } from './gateway-options.ts'

const limited = { timeout: 20_000 }

const page = defineContract('page', {
  who: unary({ output: z.string(), idempotent: true }),
  echo: unary({ input: z.string(), output: z.string() }),
  sum: clientStream({ input: z.number(), output: z.number() }),
  ticks: serverStream({ output: z.number() }),
  hang: unary({ timeoutMs: 60_000 }),
})

let hanging = 0

const pageService = defineService(page, {
  who: (_, call) => call.peer.identity?.subject ?? 'nobody',
  echo: (text) => text,
  async sum(numbers) {
    let sum = 0
    for await (const number of numbers) sum += number
    return sum
  },
  async *ticks(_, call) {
    for (let tick = 0; !call.signal.aborted; tick++) {
      yield tick
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  },
  hang: (_, call) =>
    new Promise<void>((_resolve, reject) => {
      hanging += 1
      call.signal.addEventListener('abort', () => reject(call.signal.reason))
    }),
})

async function open(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const runtime = createRuntime({ registry: 'memory:' })
  const context = { instance: 'gateway-1', runtime, log: silentLog }
  const port = await freePort()
  return createGateway({ context, port, services: [pageService], http: {}, ...options })
}

function call(gateway: Gateway, method: string, input: unknown, headers = {}): Promise<Response> {
  return fetch(`${gateway.url}/rpc/page/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(input),
  })
}

test('a gateway takes calls as requests only where it was told to', limited, async () => {
  await using closed = await open({ http: undefined as never })
  const refused = await call(closed, 'echo', 'hi')
  assert.equal(refused.status, 404)
  assert.equal(((await refused.json()) as { code: string }).code, 'NOT_FOUND')
  await using gateway = await open()
  const answer = await call(gateway, 'echo', 'hi')
  assert.equal(await answer.json(), 'hi')
  assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'self'/)
  const url = `${gateway.url}/rpc/page`
  const lines = ['-H', 'content-type: application/x-ndjson', '--data-binary', '1\n2\n3\n']
  assert.equal(await curl(...lines, `${url}/sum`), '6')
  assert.match(
    await curl('-X', 'POST', '-N', `${url}/ticks`, '-m', '0.3').catch(({ stdout }) => stdout),
    /^{"item":0}\n{"item":1}\n/,
  )
  assert.equal((await fetch(`${url}/%65cho`, { method: 'POST' })).status, 404)
  assert.equal((await call(gateway, 'prise', null)).status, 404)
})

test('a client of this framework calls a gateway over HTTP', limited, async () => {
  await using gateway = await open()
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(page, { target: gateway.url, runtime })
  assert.equal(await api.echo('hi'), 'hi')
  assert.equal(await api.sum([1, 2]), 3)
})

test('limits, origins and credentials are those of the gateway', limited, async () => {
  const authenticate: GatewayOptions['authenticate'] = async (ticket) => {
    if (ticket?.startsWith('ticket-')) return { subject: ticket.slice(7), claims: {} }
    throw new CoveyError('UNAUTHENTICATED', 'no valid ticket')
  }
  await using gateway = await open({ authenticate, origins: ['https://friend.example'] })
  const ada = { authorization: 'Bearer ticket-ada' }
  assert.equal(await (await call(gateway, 'who', null, ada)).json(), 'ada')
  assert.equal((await call(gateway, 'who', null)).status, 401)
  assert.equal((await call(gateway, 'echo', 'x'.repeat(300_000), ada)).status, 413)
  const from = (origin: string) => call(gateway, 'who', null, { ...ada, origin })
  assert.equal((await from('https://evil.example')).status, 403)
  assert.equal((await from('https://friend.example')).status, 200)
  assert.equal((await from(gateway.url)).status, 200)
  const preflight = await fetch(`${gateway.url}/rpc/page/who`, {
    method: 'OPTIONS',
    headers: { origin: 'https://friend.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.status, 204)
  await using tokens = await open({
    authenticate,
    http: { authenticate: async (token) => ({ subject: `program ${token}`, claims: {} }) },
  })
  const program = { authorization: 'Bearer 7' }
  assert.equal(await (await call(tokens, 'who', null, program)).json(), 'program 7')
})

test("the user's routes and Dora's paths stand side by side", limited, async () => {
  await using gateway = await open({
    http: { dora: true },
    routes: (http) => void http.get('/api/session', () => ({ mine: true })),
  })
  assert.deepEqual(await (await fetch(`${gateway.url}/api/session`)).json(), { mine: true })
  const params = JSON.stringify({ guid: 'g', api: { a: { name: '/page/echo', param: 'hi' } } })
  const ask = async (path: string, fields: Record<string, string>) => {
    const body = new URLSearchParams(fields)
    const answer = await fetch(gateway.url + path, { method: 'POST', body })
    return { status: answer.status, ...((await answer.json()) as { code: number; data: never }) }
  }
  const { status, code, data } = await ask('/api/multisync', { guid: 'g', params })
  assert.deepEqual([status, code], [200, 0])
  assert.deepEqual(data, { a: { guid: 'g', code: 0, msg: 'OK', data: 'hi' } })
  assert.equal((await ask('/api/other', { guid: 'g', params })).code, 100_002)
  const stat = JSON.stringify({ guid: 'g', api: { cmd: { name: 'getStat' } } })
  assert.equal((await ask('/server/cmd', { guid: 'g', params: stat })).code, 0)
})

test('a gateway that stops ends calls and links', limited, async () => {
  hanging = 0
  const gateway = await open({ drainMs: 50 })
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(page, { target: gateway.url, runtime })
  const running = api.hang().catch((error: unknown) => error)
  await until(() => hanging === 1, 'the handler runs')
  await gateway.stop()
  const { code } = (await running) as CoveyError
  assert.ok(['CANCELLED', 'CONNECTION_LOST'].includes(code), code)
})
