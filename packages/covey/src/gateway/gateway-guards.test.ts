import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { WebSocket as NodeSocket } from 'ws'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { silentLog } from '../observe/log.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { raw } from '../testing/fixtures/http-bench.ts'
import { freePort } from '../testing/free-port.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { createTestAuthority } from '../testing/test-authority.ts'
import { until } from '../testing/until.ts'
import { fixedCredentials } from '../transport/tls/tls-credentials.ts'
import { createGateway, type Gateway } from './create-gateway.ts'
import type { GatewayOptions } from './gateway-options.ts'

const limited = { timeout: 20_000 }
const authority = createTestAuthority()
const own = authority.issue({ ips: ['127.0.0.1'] })
const tls = fixedCredentials({ ...own, ca: authority.ca })

const page = defineContract('page', {
  echo: unary({ input: z.any(), output: z.any(), idempotent: true }),
})
const pageService = defineService(page, { echo: (input) => input })

const authenticate: GatewayOptions['authenticate'] = async () => ({ subject: 'ada', claims: {} })

async function open(options: Partial<GatewayOptions> = {}, clock?: FakeClock): Promise<Gateway> {
  const runtime = createRuntime({ registry: 'memory:', ...(clock && { clock }) })
  const context = { instance: 'gateway-1', runtime, log: silentLog }
  const routes: GatewayOptions['routes'] = (http) => {
    http.get('/page', () => 'page')
    http.get('/certificate', ({ raw }) =>
      String((raw.socket as TLSSocket).getPeerX509Certificate()),
    )
    http.post('/body', ({ body }) => JSON.stringify(body))
  }
  const port = await freePort()
  return createGateway({ context, port, services: [pageService], http: {}, routes, ...options })
}

function portOf({ url }: Gateway): number {
  return Number(new URL(url).port)
}

test(
  'where others reach it a gateway needs TLS and to know who asks, or a word that it does not',
  limited,
  async () => {
    const refused: [Partial<GatewayOptions>, RegExp][] = [
      [{}, /gateway at 0\.0\.0\.0 can be reached.* tls: \{ cert, key \}, .* and authenticate, or/],
      [{ authenticate }, /give it tls: .* behind one that speaks TLS, or allowInsecure/],
      [{ tls }, /give it authenticate, or allowInsecure: true/],
      [{ tls: 'proxy' }, /give it authenticate, or/],
    ]
    for (const [options, message] of refused) {
      await assert.rejects(open({ host: '0.0.0.0', ...options }), {
        code: 'INVALID_SETTINGS',
        message,
      })
    }
    const taken: Partial<GatewayOptions>[] = [
      { tls, authenticate },
      { tls: 'proxy', authenticate },
      // Nothing to call: a page is for everybody.
      { tls, services: [] },
      { allowInsecure: true },
    ]
    for (const options of taken) {
      await using gateway = await open({ host: '0.0.0.0', ...options })
      assert.equal(gateway.url.startsWith('https:'), options.tls === tls)
    }
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      await using gateway = await open({ host })
      assert.match(gateway.url, /^http:/)
    }
  },
)

/** A request by TLS, without an agent that would keep its socket. */
async function ask(url: string, options: RequestOptions = {}, body?: string) {
  const sent = request(url, { ca: authority.ca, agent: false, ...options })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of answer.setEncoding('utf8')) text += part
  return { status: answer.statusCode, headers: answer.headers, text }
}

test(
  'a gateway with a certificate serves pages, calls and WebSockets by TLS alone',
  limited,
  async () => {
    await using gateway = await open({ tls, authenticate })
    const answer = await ask(`${gateway.url}/page`)
    assert.equal(answer.text, 'page')
    // No browser is asked for one, which it would have to ask its user for.
    assert.equal((await ask(`${gateway.url}/certificate`, own)).text, 'undefined')
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
    const called = await ask(`${gateway.url}/rpc/page/echo`, json, '"hi"')
    assert.equal(called.text, '"hi"')
    assert.equal(called.headers['strict-transport-security'], 'max-age=31536000')
    const url = `${gateway.url.replace('https', 'wss')}/rpc`
    const socket = new NodeSocket(url, 'covey.1', { ca: authority.ca, origin: gateway.url })
    await once(socket, 'open')
    socket.terminate()
    assert.doesNotMatch(
      await raw(portOf(gateway), 'GET /page HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'),
      /HTTP/,
    )
    await assert.rejects(
      ask(`${gateway.url}/page`, { maxVersion: 'TLSv1.2' }),
      /alert|version|socket/,
    )
  },
)

test(
  'without TLS no page is told to come by TLS alone, behind a proxy that speaks it every one',
  limited,
  async () => {
    await using plain = await open()
    await using proxied = await open({ tls: 'proxy' })
    for (const [gateway, expected] of [
      [plain, null],
      [proxied, 'max-age=31536000'],
    ] as const) {
      const { headers } = await fetch(`${gateway.url}/page`)
      assert.equal(headers.get('strict-transport-security'), expected)
    }
  },
)

test(
  'its certificate is followed, and one that cannot be read ends the start',
  limited,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'covey-gateway-'))
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    try {
      await assert.rejects(open({ tls: files }), {
        code: 'INVALID_SETTINGS',
        message: /^gateway tls\.(cert|key|ca): ENOENT/,
      })
      await writeFile(files.cert, own.cert)
      await writeFile(files.key, own.key)
      const clock = new FakeClock(Date.now())
      await using gateway = await open({ tls: files }, clock)
      const serial = async () => {
        const sent = request(`${gateway.url}/page`, { ca: authority.ca, agent: false })
        sent.end()
        const [answer] = (await once(sent, 'response')) as [IncomingMessage]
        answer.resume()
        return (answer.socket as TLSSocket).getPeerX509Certificate()?.serialNumber
      }
      const before = await serial()
      const next = authority.issue({ ips: ['127.0.0.1'] })
      await writeFile(files.cert, next.cert)
      await writeFile(files.key, next.key)
      await clock.advance(5_000)
      await until(async () => (await serial()) !== before, 'the new certificate is shown')
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

test(
  'strangers in the handshake of TLS are bounded, and do not hold up the end',
  limited,
  async () => {
    const log = new RecordingLog()
    const runtime = createRuntime({ registry: 'memory:' })
    const context = { instance: 'gateway-1', runtime, log }
    const limits = { maxHandshakes: 5, handshakeMs: 60_000 }
    const port = await freePort()
    const gateway = await createGateway({ context, port, services: [], tls, limits })
    const strangers = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'))
    for (const socket of strangers) socket.on('error', () => {}).resume()
    const open = () => strangers.filter(({ readyState }) => readyState === 'open').length
    await until(() => open() === 5, 'five are left')
    assert.ok(log.messages('warn').some((line) => line.includes('5 are shaking hands')))
    await gateway.stop()
    await until(() => open() === 0, 'all are cut off')
  },
)

/** Status of a page, of a call and of a WebSocket, for a `host` header and an `origin`. */
async function statuses(gateway: Gateway, host: string, origin?: string): Promise<number[]> {
  const head = [`host: ${host}`, ...(origin === undefined ? [] : [`origin: ${origin}`])]
  const upgrade = [
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol: covey.1',
  ]
  const plain = ['connection: close', 'content-length: 0']
  const requests = [
    ['GET /page HTTP/1.1', ...head, ...plain],
    ['POST /rpc/page/echo HTTP/1.1', ...head, ...plain],
    ['GET /rpc HTTP/1.1', ...head, ...upgrade],
  ]
  return Promise.all(
    requests.map(async (lines) => {
      const text = `${lines.join('\r\n')}\r\n\r\n`
      const answer = await raw(portOf(gateway), text, (got) => got.includes('\r\n\r\n'))
      return Number(answer.slice(9, 12))
    }),
  )
}

test('a page whose name was turned to this address gets nothing', limited, async () => {
  const [all, none] = [
    [200, 204, 101],
    [421, 421, 403],
  ]
  await using gateway = await open({
    origins: ['https://chat.example', 'null'],
    hosts: ['box.lan'],
  })
  const port = portOf(gateway)
  const cases: [host: string, origin: string | undefined, expected: number[]][] = [
    [`127.0.0.1:${port}`, undefined, all],
    [`localhost:${port}`, `http://localhost:${port}`, all],
    [`LOCALHOST:${port}`, undefined, all],
    [`[::1]:${port}`, undefined, all],
    ['chat.example', 'https://chat.example', all],
    [`box.lan:${port}`, `http://box.lan:${port}`, all],
    [`evil.example:${port}`, `http://evil.example:${port}`, none],
    [`evil.example:${port}`, undefined, none],
    ['localhost.evil.example', undefined, none],
    ['127.0.0.1.evil.example', undefined, none],
    ['10.0.0.7', undefined, none],
  ]
  for (const [host, origin, expected] of cases) {
    assert.deepEqual(await statuses(gateway, host, origin), expected, host)
  }
  // Its own name, and another page's origin.
  const crossed = await statuses(gateway, `127.0.0.1:${port}`, 'http://evil.example')
  assert.deepEqual(crossed, [200, 403, 403])
})

test(
  'behind a proxy, or where others reach it, all names are its own unless some are given',
  limited,
  async () => {
    const all = [200, 204, 101]
    await using proxied = await open({ tls: 'proxy' })
    assert.deepEqual(await statuses(proxied, 'chat.example', 'http://chat.example'), all)
    await using reached = await open({ host: '0.0.0.0', allowInsecure: true })
    assert.deepEqual(await statuses(reached, 'chat.example'), all)
    const hosts = ['chat.example']
    await using named = await open({ host: '0.0.0.0', allowInsecure: true, hosts })
    assert.deepEqual(await statuses(named, 'chat.example:443'), all)
    assert.deepEqual(await statuses(named, 'evil.example'), [421, 421, 403])
  },
)

test('bodies of routes are taken in pieces of any size, within their limit', limited, async () => {
  await using gateway = await open()
  const send = (type: string, pieces: string) => {
    const head = [
      'POST /body HTTP/1.1',
      'host: 127.0.0.1',
      'connection: close',
      `content-type: ${type}`,
      'transfer-encoding: chunked',
    ]
    return raw(portOf(gateway), `${head.join('\r\n')}\r\n\r\n${pieces}0\r\n\r\n`)
  }
  const cut = (text: string) => [...text].map((char) => `1\r\n${char}\r\n`).join('')
  const long = JSON.stringify({ text: 'x'.repeat(60_000) })
  assert.ok((await send('application/json', cut(long))).endsWith(long))
  assert.ok((await send('text/plain', cut('plain'))).endsWith('"plain"'))
  assert.match(await send('application/json', cut('')), /^HTTP\/1\.1 400 /)
  for (const type of ['application/json', 'text/plain']) {
    const tooLong = cut(`"${'x'.repeat(70_000)}"`)
    assert.match(await send(type, tooLong), /^HTTP\/1\.1 413 .*MESSAGE_TOO_LARGE/s)
  }
})

test(
  'too many headers, two hosts, keys that stand twice and JSON without bottom are refused by every route',
  limited,
  async () => {
    await using gateway = await open()
    const send = (lines: readonly string[], body = '') =>
      raw(portOf(gateway), `${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n${body}`)
    const many = Array.from({ length: 100 }, (_, n) => `x-${n}: 1`)
    const get = ['GET /page HTTP/1.1', 'host: 127.0.0.1']
    assert.match(await send([...get, ...many]), /^HTTP\/1\.1 431 /)
    assert.match(await send([...get, ...many.slice(0, 97)]), /^HTTP\/1\.1 200 /)
    assert.match(await send([...get, 'host: localhost']), /^HTTP\/1\.1 400 /)
    assert.match(await send(['GET /page', 'host: localhost']), /^HTTP\/1\.1 505 /)
    assert.match(await send([...get, `x: ${'y'.repeat(17_000)}`]), /^HTTP\/1\.1 431 /)
    const post = async (body: string) => {
      const type = 'content-type: application/json'
      const length = `content-length: ${Buffer.byteLength(body)}`
      return send(['POST /body HTTP/1.1', 'host: 127.0.0.1', type, length], body)
    }
    assert.match(await post('{"a":1,"b":{"a":2}}'), /^HTTP\/1\.1 200 .*{"a":1,"b":{"a":2}}$/s)
    for (const twice of ['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[{"b":{"a":1,"a":1}}]']) {
      assert.match(
        await post(twice),
        /^HTTP\/1\.1 400 .*INVALID_INPUT.*the key \\"a\\" stands twice/s,
      )
    }
    const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    assert.match(await post(deep(64)), /^HTTP\/1\.1 200 /)
    assert.match(await post(deep(65)), /^HTTP\/1\.1 400 .*INVALID_INPUT.*deeper than 64/s)
    assert.match(await post(deep(30_000)), /^HTTP\/1\.1 400 /)
    assert.match(
      await send(['TRACE /page HTTP/1.1', 'host: 127.0.0.1', 'x: secret']),
      /^HTTP\/1\.1 40[45] (?!.*secret)/s,
    )
  },
)
