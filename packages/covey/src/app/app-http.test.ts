import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, duplex, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { until } from '../testing/until.ts'
import { createApp } from './create-app.ts'

const greeter = defineContract('greeter', {
  greet: unary({ input: z.string(), output: z.string() }),
  over: unary({ output: z.string() }),
  slow: unary({ input: z.string(), output: z.string() }),
  fail: unary(),
  upload: clientStream({ input: z.number(), output: z.number() }),
  double: duplex({ input: z.number(), output: z.number() }),
})

let gate = Promise.withResolvers<void>()

const greeterService = defineService(greeter, {
  greet: (name) => `hello ${name}`,
  over: (_, call) => call.peer.protocol,
  async slow(name) {
    await gate.promise
    return `at last ${name}`
  },
  fail() {
    throw new CoveyError('NOT_FOUND', 'nothing')
  },
  async upload(numbers) {
    let sum = 0
    for await (const number of numbers) sum += number
    return sum
  },
  async *double(numbers) {
    for await (const number of numbers) yield 2 * number
  },
})

async function startGreeter(http: { port?: number; host?: string }) {
  await using stack = new AsyncDisposableStack()
  const runtime = stack.use(createRuntime({ registry: 'memory:' }))
  const app = createApp({
    name: 'greeter',
    services: [greeterService],
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, http } },
    runtime,
    ownsProcess: false,
  })
  await app.start()
  stack.defer(() => app.stop())
  const moved = stack.move()
  return { app, [Symbol.asyncDispose]: () => moved.disposeAsync() }
}

test('an application that is told to takes calls over HTTP as well, and says where', async () => {
  await using started = await startGreeter({ port: 0 })
  const [tcp, http, ...others] = started.app.instance.addresses
  assert.match(String(tcp), /^tcp:\/\/127\.0\.0\.1:\d+$/)
  assert.match(String(http), /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.deepEqual(others, [])
  const answer = await fetch(`${http}/rpc/greeter/greet`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '"Ada"',
  })
  assert.equal(await answer.json(), 'hello Ada')
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(greeter, { target: http!, runtime })
  assert.equal(await api.over(), 'http')
})

test('without the setting no such port is opened', async () => {
  await using started = await startGreeter({})
  assert.equal(started.app.instance.addresses.length, 1)
})

test('an application that stops lets go of its HTTP port and of the clients there', async () => {
  const started = await startGreeter({ port: 0 })
  const http = started.app.instance.addresses[1]!
  await using runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(greeter, { target: http, runtime })
  assert.equal(await api.greet('Ada'), 'hello Ada')
  await started[Symbol.asyncDispose]()
  await until(
    () =>
      fetch(http).then(
        () => false,
        () => true,
      ),
    'nobody listens',
  )
  await assert.rejects(api.greet('Bob', { timeoutMs: 200 }), { code: 'UNAVAILABLE' })
})

function post(
  url: string,
  input: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(input),
  })
}

test('work is accepted with 202, and its result waits under its token', async () => {
  gate = Promise.withResolvers()
  await using started = await startGreeter({ port: 0 })
  const http = started.app.instance.addresses[1]!
  const asked = await post(`${http}/rpc/greeter/slow`, 'Ada', { 'covey-mode': 'submit' })
  assert.equal(asked.status, 202)
  const { token } = (await asked.json()) as { token: string }
  const location = asked.headers.get('location')
  assert.equal(location, `/rpc/results/${token}`)
  const running = await fetch(`${http}${location}?waitMs=20`)
  assert.equal(running.status, 202)
  assert.deepEqual(await running.json(), { state: 'running' })
  const waiting = fetch(http + location, { headers: { prefer: 'wait=10' } })
  gate.resolve()
  assert.equal(await (await waiting).json(), 'at last Ada')
  const failed = await post(`${http}/rpc/greeter/fail?mode=submit`, null)
  const { token: second } = (await failed.json()) as { token: string }
  const result = await fetch(`${http}/rpc/results/${second}?waitMs=1000`)
  assert.equal(result.status, 404)
  assert.equal(((await result.json()) as { code: string }).code, 'NOT_FOUND')
  const told = await post(`${http}/rpc/greeter/greet?mode=notify`, 'Bob')
  assert.equal(told.status, 202)
  assert.deepEqual(await told.json(), {})
  const async = await post(`${http}/rpc/greeter/greet`, 'Cleo', { prefer: 'respond-async' })
  assert.equal(async.status, 202)
  const cases: [string, number][] = [
    [`${http}/rpc/results/${started.app.instance.id}~1234567890123456789012?waitMs=5`, 410],
    [`${http}/rpc/results/other~1234567890123456789012`, 500],
    [`${http}/rpc/results/x/y`, 404],
    [`${http}${location}?waitMs=soon`, 400],
  ]
  for (const [url, status] of cases) assert.equal((await fetch(url)).status, status, url)
  assert.equal((await post(`${http}/rpc/greeter/greet?mode=later`, 'x')).status, 400)
  // What is refused before the handler is told at once.
  assert.equal((await post(`${http}/rpc/greeter/greet?mode=notify`, 7)).status, 422)
  assert.equal((await post(`${http}/rpc/greeter/prise?mode=notify`, 7)).status, 404)
})

test('a batch is accepted as a whole, or entry by entry', async () => {
  gate = Promise.withResolvers()
  await using started = await startGreeter({ port: 0 })
  const http = started.app.instance.addresses[1]!
  const entries = {
    later: { method: 'greeter.slow', input: 'Ada' },
    wrong: { method: 'greeter.slow', input: 7 },
    now: { method: 'greeter.greet', input: 'Bob', mode: 'wait' },
    told: { method: 'greeter.greet', input: 'Cleo', mode: 'notify' },
    odd: { method: 'greeter.greet', input: 'Dan', mode: 'later' },
    stream: { method: 'greeter.upload', input: [] },
  }
  interface Outcome {
    ok: boolean
    value?: { token: string }
    error?: { code: string }
  }
  const ask = async (headers: Record<string, string>, query = '') => {
    const answer = await post(`${http}/rpc/batch${query}`, entries, headers)
    assert.equal(answer.status, 200)
    const { later, wrong, ...others } = (await answer.json()) as Record<string, Outcome>
    assert.equal(wrong?.error?.code, 'INVALID_INPUT')
    const codes = [others.odd, others.stream].map((outcome) => outcome?.error?.code)
    assert.deepEqual(codes, ['INVALID_INPUT', 'INVALID_INPUT'])
    assert.deepEqual([others.now, others.told], [{ ok: true, value: 'hello Bob' }, { ok: true }])
    return later!
  }
  const tokens = [
    (await ask({ 'covey-mode': 'submit' })).value!.token,
    (await ask({}, '?mode=submit')).value!.token,
    (await ask({ prefer: 'respond-async' })).value!.token,
  ]
  assert.deepEqual(await ask({ 'covey-mode': 'notify' }), { ok: true })
  gate.resolve()
  for (const token of tokens) {
    const result = await fetch(`${http}/rpc/results/${token}?waitMs=5000`)
    assert.equal(await result.json(), 'at last Ada')
  }
  assert.equal((await post(`${http}/rpc/batch?mode=later`, entries)).status, 400)
})

test('a client over HTTP has all kinds and all modes', async () => {
  gate = Promise.withResolvers()
  await using started = await startGreeter({ port: 0 })
  await using runtime = createRuntime({ registry: 'memory:' })
  const target = started.app.instance.addresses[1]!
  const api = createClient(greeter, { target, runtime })
  const ticket = await api.slow.submit('Ada')
  gate.resolve()
  assert.equal(await ticket.result(), 'at last Ada')
  await api.greet.notify('Bob')
  await assert.rejects(api.greet.notify(7 as unknown as string), { code: 'INVALID_INPUT' })
  assert.equal(await api.upload([1, 2, 3]), 6)
  const doubled: number[] = []
  for await (const number of api.double([1, 2, 3])) doubled.push(number)
  assert.deepEqual(doubled, [2, 4, 6])
})

test('lines are the inputs of a stream, and both directions go on at once', async () => {
  await using started = await startGreeter({ port: 0 })
  const { hostname, port } = new URL(started.app.instance.addresses[1]!)
  const url = (method: string) => `http://${hostname}:${port}/rpc/greeter/${method}`
  const headers = { 'content-type': 'application/x-ndjson' }
  const sum = await fetch(url('upload'), { method: 'POST', headers, body: '1\n\n2\r\n 3' })
  assert.equal(await sum.json(), 6)
  const wrong = await fetch(url('upload'), { method: 'POST', headers, body: '1\n\n{"a":\n' })
  const { code, detail } = (await wrong.json()) as { code: string; detail: string }
  assert.equal(code, 'INVALID_INPUT')
  assert.match(detail, /^line 3: malformed JSON: /)
  const talk = request(url('double'), { method: 'POST', headers })
  talk.write('21\n')
  const [answer] = (await once(talk, 'response')) as [IncomingMessage]
  const lines = answer.setEncoding('utf8')[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, '{"item":42}\n')
  talk.end('4\n')
  let rest = ''
  for (let step = await lines.next(); !step.done; step = await lines.next()) rest += step.value
  assert.equal(rest, '{"item":8}\n{"end":true}\n')
})

test('keys that are demanded elsewhere leave no open door here', async () => {
  const secret = 'a secret of at least thirty-two characters'
  const options = (http: object) => ({
    name: 'greeter',
    services: [greeterService],
    overrides: { covey: { logLevel: 'silent', http: { port: 0 }, keys: [{ id: 'may', secret }] } },
    runtime: createRuntime({ registry: 'memory:' }),
    ownsProcess: false,
    ...http,
  })
  const refused = options({})
  await assert.rejects(createApp(refused).start(), { code: 'INVALID_SETTINGS', message: /keys/ })
  await refused.runtime.close()
  const guarded = options({
    http: {
      async authenticate(token: string | undefined) {
        if (token === 'good') return { subject: 'ada', claims: {} }
        throw new CoveyError('UNAUTHENTICATED', 'who are you?')
      },
    },
  })
  await using app = createApp(guarded)
  await app.start()
  const url = `${app.instance.addresses[1]}/rpc/greeter/over`
  assert.equal((await post(url, null)).status, 401)
  assert.equal((await post(url, null, { authorization: 'Bearer good' })).status, 200)
  await app.stop()
  await guarded.runtime.close()
})

test('where other machines may connect it does not listen unguarded', async () => {
  await assert.rejects(startGreeter({ port: 0, host: '0.0.0.0' }), {
    code: 'INVALID_SETTINGS',
    message: /^covey\.http\.host 0\.0\.0\.0 can be reached/,
  })
})
