import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { WebSocket as NodeSocket } from 'ws'
import { z } from 'zod'
import { createWebClient, type WebClient } from '../client/create-web-client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { batch } from '../rpc/batch.ts'
import { results } from '../rpc/results.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createGateway, type Gateway } from './create-gateway.ts'
import type { GatewayOptions } from './gateway-options.ts'

const page = defineContract('page', {
  who: unary({ output: z.string(), idempotent: true }),
  echo: unary({ input: z.string(), output: z.string() }),
  ticks: serverStream({ output: z.number() }),
})

const pageService = defineService(page, {
  who: (_, call) => call.peer.identity?.subject ?? 'nobody',
  echo: (text) => text,
  async *ticks(_, call) {
    for (let tick = 0; !call.signal.aborted; tick++) {
      yield tick
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  },
})

async function open(port: number, options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const runtime = createRuntime({ registry: 'memory:' })
  const context = { instance: 'gateway-1', runtime, log: silentLog }
  return createGateway({ context, port, services: [pageService], ...options })
}

const authenticate: GatewayOptions['authenticate'] = async (ticket) => {
  if (ticket === undefined || !ticket.startsWith('ticket-')) {
    throw new CoveyError('UNAUTHENTICATED', 'no valid ticket')
  }
  return { subject: ticket.slice('ticket-'.length), claims: {} }
}

function link(
  gateway: Gateway,
  credential?: () => Promise<string>,
  states: string[] = [],
): WebClient {
  return createWebClient({
    url: `${gateway.url.replace('http', 'ws')}/rpc`,
    ...(credential === undefined ? {} : { credential }),
    onState: (state, { error }) =>
      states.push(error === undefined ? state : `${state} ${error.code}`),
  })
}

test('a page calls contracts as who it is, and sees streams', { timeout: 20_000 }, async () => {
  await using gateway = await open(await freePort(), { authenticate })
  const states: string[] = []
  await using web = link(gateway, async () => 'ticket-ada', states)
  const api = web.client(page)
  assert.equal(await api.who(), 'ada')
  const ticks: number[] = []
  for await (const tick of api.ticks()) if (ticks.push(tick) === 3) break
  assert.deepEqual(ticks, [0, 1, 2])
  assert.deepEqual(states, ['connecting', 'open'])
  assert.equal(gateway.connections, 1)
})

test('a page without a valid ticket is told UNAUTHENTICATED', { timeout: 20_000 }, async () => {
  await using gateway = await open(await freePort(), { authenticate })
  const states: string[] = []
  await using web = link(gateway, async () => 'forged', states)
  const call = web.client(page).who(undefined, { timeoutMs: 300 })
  await assert.rejects(call, /no valid ticket|time was used up/)
  assert.ok(states.includes('waiting UNAUTHENTICATED'), states.join())
})

test('a batch of a page may be larger than any message the gateway takes', {
  timeout: 20_000,
}, async () => {
  const texts = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(30_000))
  const small = { maxFrameBytes: 40_000 }
  for (const options of [{}, { limits: small }]) {
    await using gateway = await open(await freePort(), options)
    const states: string[] = []
    await using web = link(gateway, undefined, states)
    const api = web.client(page)
    await api.who()
    const answers = await batch(
      Object.fromEntries(texts.map((text, at) => [`n${at}`, api.echo.of(text)])),
    )
    assert.deepEqual(Object.values(answers), texts)
    assert.deepEqual(states, ['connecting', 'open'])
  }
})

test('when the gateway comes back the page is connected again; calls wait for it', {
  timeout: 20_000,
}, async () => {
  const port = await freePort()
  const first = await open(port)
  const states: string[] = []
  await using web = link(first, undefined, states)
  const api = web.client(page)
  assert.equal(await api.echo('one'), 'one')
  await first.stop()
  await until(() => web.state === 'waiting' || web.state === 'connecting', 'it noticed')
  const waiting = api.echo('two')
  await using second = await open(port)
  assert.equal(await waiting, 'two')
  assert.equal(second.connections, 1)
  assert.equal(states.at(-1), 'open')
})

test('a connection can be cut off by who is there', { timeout: 20_000 }, async () => {
  await using gateway = await open(await freePort(), { authenticate })
  const states: string[] = []
  await using ada = link(gateway, async () => 'ticket-ada', states)
  await using bob = link(gateway, async () => 'ticket-bob')
  await Promise.all([ada.client(page).who(), bob.client(page).who()])
  const reason = new CoveyError('UNAUTHENTICATED', 'the session was ended')
  gateway.disconnect(({ identity }) => identity?.subject === 'ada', reason)
  await until(() => states.includes('waiting UNAUTHENTICATED'), 'ada was told')
  assert.equal(bob.state, 'open')
})

test('a page gets the result of what it submitted, also over its next connection', {
  timeout: 20_000,
}, async () => {
  await using gateway = await open(await freePort())
  const states: string[] = []
  await using web = link(gateway, undefined, states)
  const api = web.client(page)
  await api.echo.notify('hello')
  const ticket = await api.echo.submit('later')
  gateway.disconnect(() => true, new CoveyError('UNAVAILABLE', 'connect again'))
  await until(() => states.some((state) => state.startsWith('waiting')), 'it noticed')
  assert.equal(await ticket.result(), 'later')
  await using other = link(gateway)
  const [found] = await results([other.client(page).echo.ticket(ticket.token)])
  assert.deepEqual(found, { ok: true, value: 'later' })
})

/** How the upgrade is answered: 101, or the status of the refusal. */
function upgrade(
  url: string,
  protocol: string | undefined,
  headers: Record<string, string>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new NodeSocket(url, protocol === undefined ? [] : [protocol], { headers })
    socket.on('open', () => {
      socket.terminate()
      resolve(101)
    })
    socket.on('unexpected-response', (_, response) => {
      response.resume()
      socket.terminate()
      resolve(response.statusCode ?? 0)
    })
    socket.on('error', (error) => {
      if (!error.message.includes('closed before')) reject(error)
    })
  })
}

test('other origins, paths and protocols are refused before a WebSocket is open', {
  timeout: 20_000,
}, async () => {
  await using gateway = await open(await freePort(), { origins: ['https://friend.example'] })
  const ws = gateway.url.replace('http', 'ws')
  const cases: [string, string | undefined, Record<string, string>, number][] = [
    ['/rpc', 'covey.1', {}, 101],
    ['/rpc', 'covey.1', { origin: gateway.url }, 101],
    ['/rpc', 'covey.1', { origin: 'https://friend.example' }, 101],
    ['/rpc', 'covey.1', { origin: 'https://evil.example' }, 403],
    ['/rpc', 'covey.1', { origin: 'null' }, 403],
    ['/other', 'covey.1', {}, 404],
    ['/rpc', 'graphql-ws', {}, 400],
    ['/rpc', undefined, {}, 400],
  ]
  for (const [path, protocol, headers, expected] of cases) {
    assert.equal(await upgrade(ws + path, protocol, headers), expected, `${path} ${protocol}`)
  }
})

test('what is no URL is refused and harms nobody else', { timeout: 20_000 }, async () => {
  await using gateway = await open(await freePort())
  const port = Number(new URL(gateway.url).port)
  const head = [
    'host: 127.0.0.1',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol: covey.1',
  ]
  for (const target of ['//', '///', '//[', 'http://[', '*', '/rpc/', '/%', '//rpc', 'x:y']) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    let answer = ''
    socket.on('data', (bytes) => {
      answer += String(bytes)
    })
    socket.write(`GET ${target} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
    await new Promise((resolve) => socket.once('close', resolve))
    assert.match(answer, /^HTTP\/1\.1 40[04] /, target)
  }
  assert.equal(await upgrade(`${gateway.url.replace('http', 'ws')}/rpc?a=1`, 'covey.1', {}), 101)
})

test('text messages and messages over the limit end the WebSocket', {
  timeout: 20_000,
}, async () => {
  await using gateway = await open(await freePort())
  for (const message of ['hello', new Uint8Array(400 * 1024)]) {
    const socket = new NodeSocket(`${gateway.url.replace('http', 'ws')}/rpc`, 'covey.1')
    socket.on('error', () => {})
    socket.on('open', () => socket.send(message))
    await new Promise((resolve) => socket.on('close', resolve))
  }
  await until(() => gateway.connections === 0, 'all are gone')
})

async function withAssets(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'covey-page-'))
  await mkdir(join(directory, 'dist', 'assets'), { recursive: true })
  await writeFile(join(directory, 'dist', 'index.html'), '<h1>page</h1>')
  await writeFile(join(directory, 'dist', 'assets', 'app-1a2b.js'), 'run()')
  await writeFile(join(directory, 'secret.txt'), 'secret')
  try {
    await use(join(directory, 'dist'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

test('the page is served with strict headers, and nothing beside it', { timeout: 20_000 }, () =>
  withAssets(async (assets) => {
    await using gateway = await open(await freePort(), { assets })
    const html = { headers: { accept: 'text/html' } }
    for (const path of ['/', '/index.html', '/some/place']) {
      const answer = await fetch(gateway.url + path, html)
      assert.equal(await answer.text(), '<h1>page</h1>')
      assert.equal(answer.headers.get('cache-control'), 'no-cache')
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'self'/)
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    }
    const script = await fetch(`${gateway.url}/assets/app-1a2b.js`)
    assert.match(script.headers.get('cache-control') ?? '', /immutable/)
    const missing = await fetch(`${gateway.url}/nothing`, {
      headers: { accept: 'application/json' },
    })
    assert.equal(missing.status, 404)
    assert.equal(missing.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.equal(((await missing.json()) as { code: string }).code, 'NOT_FOUND')
    const port = Number(new URL(gateway.url).port)
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/assets/../../secret.txt',
    ]) {
      assert.doesNotMatch(await rawGet(port, path), /secret$/)
    }
  }),
)

/** `fetch` would tidy the path up. */
async function rawGet(port: number, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

test('a folder without a page is told before the port is open', { timeout: 20_000 }, () =>
  withAssets(async (assets) => {
    const opened = open(await freePort(), { assets: join(assets, 'assets') })
    await assert.rejects(opened, {
      code: 'INVALID_SETTINGS',
      message: /no index\.html in .*assets/,
    })
  }),
)

test('every answer has the strict headers once, and the cookies of its route once', {
  timeout: 20_000,
}, async () => {
  await using gateway = await open(await freePort(), {
    routes(http) {
      http.get('/cookie', (_, reply) =>
        reply.headers({ 'set-cookie': 'a=1', 'referrer-policy': 'origin' }).send('ok'),
      )
    },
  })
  const { headers } = await fetch(`${gateway.url}/cookie`)
  assert.deepEqual(headers.getSetCookie(), ['a=1'])
  assert.equal(headers.get('referrer-policy'), 'origin')
  const bad = await fetch(`${gateway.url}/%`)
  assert.equal(bad.status, 400)
  assert.equal(bad.headers.get('x-frame-options'), 'DENY')
  assert.equal(((await bad.json()) as { code: string }).code, 'INVALID_INPUT')
})

test('errors of routes are problems with our codes; the inside stays inside', {
  timeout: 20_000,
}, async () => {
  await using gateway = await open(await freePort(), {
    routes(http) {
      http.get('/known', () => {
        throw new CoveyError('PERMISSION_DENIED', 'not yours', { details: { id: 7 } })
      })
      http.get('/unknown', () => {
        throw new Error('password 123')
      })
      http.post('/body', () => 'ok')
    },
  })
  const known = await fetch(`${gateway.url}/known`)
  assert.equal(known.status, 403)
  assert.deepEqual(await known.json(), {
    type: 'about:blank',
    title: 'PERMISSION_DENIED',
    status: 403,
    code: 'PERMISSION_DENIED',
    detail: 'not yours',
    details: { id: 7 },
  })
  const unknown = await fetch(`${gateway.url}/unknown`)
  assert.equal(unknown.status, 500)
  assert.doesNotMatch(await unknown.text(), /password/)
  const headers = { 'content-type': 'application/json' }
  const post = (body: string) => fetch(`${gateway.url}/body`, { method: 'POST', headers, body })
  assert.equal((await post('{"a":')).status, 400)
  assert.equal((await post('{"__proto__":{}}')).status, 400)
  assert.equal((await post(JSON.stringify('x'.repeat(100_000)))).status, 413)
  assert.equal((await post('{}')).status, 200)
})

test('a port in use is told with what to do', { timeout: 20_000 }, async () => {
  const port = await freePort()
  await using _first = await open(port)
  await assert.rejects(open(port), (error: CoveyError) => {
    assert.equal(error.code, 'ADDRESS_IN_USE')
    assert.match(
      error.message,
      new RegExp(`http://127.0.0.1:${port} is in use .* set another port`),
    )
    return true
  })
})
