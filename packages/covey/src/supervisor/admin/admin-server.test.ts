import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { freePort } from '../../testing/free-port.ts'
import { createHubLog } from '../log/hub-log.ts'
import { LogHub } from '../log/log-hub.ts'
import type { ProcessStatus } from '../process-status.ts'
import { startAdminServer } from './admin-server.ts'

const token = 't'.repeat(43)
const user: ProcessStatus = {
  name: 'user-0',
  process: 'user',
  replica: 0,
  state: 'running',
  pid: 7,
  restarts: 2,
  uptimeMs: 5_000,
  retryMs: null,
  reason: null,
  cpuPercent: 1.5,
  memoryBytes: 1_000,
}

interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  text: string
}

interface Ask {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

async function startAdmin(t: TestContext) {
  const port = await freePort()
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  const told = { stops: 0 }
  const server = await startAdminServer({
    port,
    token,
    fleet: 'chat',
    hub,
    clock,
    log: createHubLog(hub, clock),
    processes: () => [user],
    stopLimitMs: () => 37_000,
    stop: () => {
      told.stops += 1
    },
  })
  t.after(() => server.close())
  /** `node:http` and not fetch, which sets Host and Origin by itself. */
  const ask = (path: string, { method = 'GET', headers = {}, body }: Ask = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, text }),
        )
      })
      call.on('error', reject)
      call.setTimeout(5_000, () => call.destroy(new Error('no answer')))
      call.end(body)
    })
  const login = async (given: unknown = token) => {
    const headers = { 'content-type': 'application/json' }
    return ask('/api/login', { method: 'POST', headers, body: JSON.stringify({ token: given }) })
  }
  const bearer = { authorization: `Bearer ${token}` }
  const origin = `http://127.0.0.1:${port}`
  const cookieOf = ({ headers }: Answer) => String(headers['set-cookie']).split(';')[0] ?? ''
  return { ask, bearer, clock, cookieOf, hub, login, origin, port, told }
}

const routes = [
  ['GET', '/api/processes'],
  ['GET', '/api/logs'],
  ['POST', '/api/stop'],
  ['POST', '/api/logout'],
] as const

function assertProblem({ status, headers, text }: Answer, expected: number): void {
  assert.equal(status, expected, text)
  assert.match(String(headers['content-type']), /^application\/problem\+json/)
  const problem = JSON.parse(text)
  assert.equal(problem.status, expected)
  assert.equal(typeof problem.detail, 'string')
  assert.doesNotMatch(text, new RegExp(token))
  assert.doesNotMatch(text, /\bat .*:\d+:\d+/)
}

test('without the right token nothing is told and nothing is done', async (t) => {
  const { ask, told } = await startAdmin(t)
  const wrong = [
    {},
    { authorization: `Bearer ${'x'.repeat(43)}` },
    { authorization: `Bearer ${token}x` },
    { authorization: token },
    { authorization: `Basic ${Buffer.from(`admin:${token}`).toString('base64')}` },
    { authorization: '' },
    { cookie: `covey_console_9501=${token}` },
    { cookie: 'covey_console=;;;==' },
  ]
  const unknown = [
    '/api',
    '/api/',
    '/api/env',
    '/api/processes/',
    '/API/processes',
    '//api/processes',
  ]
  const tricks = [
    '/page.js/../api/processes',
    '/%61pi/processes',
    '/api/processes;x',
    '/..%2f..%2fetc/passwd',
  ]
  for (const headers of wrong) {
    for (const [method, path] of routes) assertProblem(await ask(path, { method, headers }), 401)
    for (const path of [...unknown, ...tricks]) assertProblem(await ask(path, { headers }), 401)
  }
  assert.equal(told.stops, 0)
})

test('with the token everything is there', async (t) => {
  const { ask, bearer, told } = await startAdmin(t)
  const processes = await ask('/api/processes', { headers: bearer })
  assert.deepEqual(JSON.parse(processes.text), { fleet: 'chat', processes: [user] })
  const stop = await ask('/api/stop', { method: 'POST', headers: bearer })
  assert.equal(stop.status, 202)
  assert.deepEqual(JSON.parse(stop.text), { limitMs: 37_000 })
  assert.equal(told.stops, 1)
  assertProblem(await ask('/api/nothing', { headers: bearer }), 404)
})

test('a request for another host is refused: a page cannot rebind its name to us', async (t) => {
  const { ask, bearer, port, login, origin } = await startAdmin(t)
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    '127.0.0.1:1',
    `127.0.0.1.evil.example:${port}`,
  ]) {
    for (const path of ['/', '/api/processes', '/api/login']) {
      assertProblem(await ask(path, { headers: { ...bearer, host } }), 421)
    }
  }
  for (const host of [`127.0.0.1:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
    assert.equal((await ask('/api/processes', { headers: { ...bearer, host } })).status, 200, host)
  }
  assert.equal((await login()).status, 204)
  assert.ok(origin)
})

test('writes from pages of other origins are refused, with or without credentials', async (t) => {
  const { ask, bearer, cookieOf, login, origin, port, told } = await startAdmin(t)
  const cookie = cookieOf(await login())
  const foreign = [
    'http://evil.example',
    'null',
    `https://127.0.0.1:${port}`,
    'http://127.0.0.1:8090',
    `${origin}.evil.example`,
  ]
  for (const from of foreign) {
    for (const credential of [bearer, { cookie }]) {
      const headers = { ...credential, origin: from }
      assertProblem(await ask('/api/stop', { method: 'POST', headers }), 403)
    }
    assertProblem(await ask('/api/login', { method: 'POST', headers: { origin: from } }), 403)
  }
  assertProblem(await ask('/api/stop', { method: 'POST', headers: { cookie } }), 403)
  assert.equal(told.stops, 0)
  assert.equal(
    (await ask('/api/stop', { method: 'POST', headers: { cookie, origin } })).status,
    202,
  )
  assert.equal(told.stops, 1)
})

test('the login gives a session that is not the token, and ends', async (t) => {
  const { ask, cookieOf, login, origin, port } = await startAdmin(t)
  const answer = await login(` ${token}\n`)
  assert.equal(answer.status, 204)
  const cookie = cookieOf(answer)
  assert.match(cookie, new RegExp(`^covey_console_${port}=[\\w-]{43}$`))
  assert.ok(!cookie.includes(token))
  assert.match(String(answer.headers['set-cookie']), /; HttpOnly; SameSite=Strict$/)
  assert.equal((await ask('/api/processes', { headers: { cookie } })).status, 200)
  const other = { cookie: `chat=1; ${cookie}; x=y` }
  assert.equal((await ask('/api/processes', { headers: other })).status, 200)
  assert.notEqual(cookieOf(await login()), cookie)
  const logout = await ask('/api/logout', { method: 'POST', headers: { cookie, origin } })
  assert.equal(logout.status, 204)
  assertProblem(await ask('/api/processes', { headers: { cookie } }), 401)
})

test('a session that is not used ends by itself', async (t) => {
  const { ask, clock, cookieOf, login } = await startAdmin(t)
  const cookie = cookieOf(await login())
  await clock.advance(31 * 60_000)
  assertProblem(await ask('/api/processes', { headers: { cookie } }), 401)
})

test('logins are limited: after five wrong ones even the right one has to wait', async (t) => {
  const { clock, login } = await startAdmin(t)
  for (const given of ['', 'x', token.slice(1), `${token}t`, 'x'.repeat(43)]) {
    assertProblem(await login(given), 401)
  }
  const limited = await login()
  assertProblem(limited, 429)
  assert.equal(limited.headers['retry-after'], '60')
  await clock.advance(60_000)
  assert.equal((await login()).status, 204)
})

test('bodies that are no login are refused', async (t) => {
  const { ask, login } = await startAdmin(t)
  const post = (body: string, type = 'application/json') =>
    ask('/api/login', { method: 'POST', headers: { 'content-type': type }, body })
  for (const body of ['null', '[]', '{}', '{"token":5}', '"x"'])
    assertProblem(await post(body), 422)
  assertProblem(await post('{"token":'), 400)
  assertProblem(await post('{"__proto__":{"token":"x"}}'), 400)
  assertProblem(await post(`{"token":"${'x'.repeat(20_000)}"}`), 413)
  assertProblem(await post(`token=${token}`, 'application/x-www-form-urlencoded'), 415)
  assertProblem(await post(token, 'text/plain'), 415)
  assertProblem(await login({ toString: 'x' }), 422)
})

test('every answer forbids framing, sniffing, foreign code and caching', async (t) => {
  const { ask, bearer } = await startAdmin(t)
  const answers = [
    await ask('/'),
    await ask('/page.js'),
    await ask('/api/processes'),
    await ask('/api/processes', { headers: bearer }),
    await ask('/', { headers: { host: 'evil' } }),
  ]
  for (const { headers } of answers) {
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cache-control'], 'no-store')
  }
})

test('the page needs no login, holds no inline code and loads nothing from elsewhere', async (t) => {
  const { ask } = await startAdmin(t)
  const page = await ask('/')
  assert.equal(page.status, 200)
  assert.match(String(page.headers['content-type']), /^text\/html/)
  assert.match(page.text, /covey token/)
  assert.doesNotMatch(page.text, /<script(?![^>]*\ssrc=)|\son\w+=|style=|https?:/)
  for (const [path, type] of [
    ['/page.js', 'text/javascript'],
    ['/page.css', 'text/css'],
  ] as const) {
    const file = await ask(path)
    assert.equal(file.status, 200)
    assert.match(String(file.headers['content-type']), new RegExp(`^${type}`))
    assert.doesNotMatch(file.text, /innerHTML|https?:/)
  }
})

test('the log is told a line each, of one process or all', async (t) => {
  const { ask, bearer, hub } = await startAdmin(t)
  for (let count = 0; count < 150; count++) {
    hub.append({ process: 'user', replica: 0 }, 'stdout', `line ${count}`)
  }
  hub.append({ process: 'covey', replica: 0 }, 'stderr', 'own')
  const linesOf = async (query: string) => {
    const { status, headers, text } = await ask(`/api/logs${query}`, { headers: bearer })
    assert.equal(status, 200, text)
    assert.match(String(headers['content-type']), /^application\/x-ndjson/)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  assert.equal((await linesOf('')).length, 100)
  assert.deepEqual(
    (await linesOf('?process=covey&lines=5')).map(({ text }) => text),
    ['own'],
  )
  const users = await linesOf('?process=user-0&lines=2')
  assert.deepEqual(
    users.map(({ text, stream, seq }) => [text, stream, seq]),
    [
      ['line 148', 'stdout', 149],
      ['line 149', 'stdout', 150],
    ],
  )
  assert.equal((await linesOf('?lines=999999')).length, 151)
  assert.equal((await linesOf('?lines=0')).length, 0)
})

test('a log is asked for by the name of a process, never by a path', async (t) => {
  const { ask, bearer } = await startAdmin(t)
  const names = [
    '../../etc/passwd',
    '..%2f..%2frun%2ftoken',
    'user-0.log',
    '/etc/passwd',
    'user%00',
    'constructor',
    '',
    'a&process=b',
  ]
  for (const name of names) {
    assertProblem(await ask(`/api/logs?process=${name}`, { headers: bearer }), 404)
  }
  for (const query of ['lines=-1', 'lines=x', 'lines=1&lines=2', 'follow=maybe']) {
    assertProblem(await ask(`/api/logs?${query}`, { headers: bearer }), 422)
  }
})

test('followers get new lines, signs of life, and are let go', { timeout: 10_000 }, async (t) => {
  const { bearer, clock, hub, port } = await startAdmin(t)
  const source = { process: 'user', replica: 0 }
  hub.append(source, 'stdout', 'before')
  const abort = new AbortController()
  const answer = await fetch(`http://127.0.0.1:${port}/api/logs?process=user&follow=true`, {
    headers: bearer,
    signal: abort.signal,
  })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  const next = async () => (await reader.read()).value ?? ''
  assert.match(await next(), /"before"/)
  hub.append({ process: 'other', replica: 0 }, 'stdout', 'not this')
  hub.append(source, 'stdout', 'after')
  assert.match(await next(), /^\{[^\n]*"after"\}\n$/)
  await clock.advance(20_000)
  assert.equal(await next(), '\n')
  abort.abort()
  await assert.rejects(reader.read())
  while (clock.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})

test('a follower that reads nothing costs bounded memory and learns what it missed', {
  timeout: 20_000,
}, async (t) => {
  const { bearer, hub, port } = await startAdmin(t)
  const source = { process: 'user', replica: 0 }
  const lines = await new Promise<AsyncIterable<string>>((resolve, reject) => {
    const path = '/api/logs?process=user&follow=true&lines=0'
    request({ host: '127.0.0.1', port, path, headers: bearer }, (answer) =>
      resolve(answer.setEncoding('utf8')),
    )
      .on('error', reject)
      .end()
  })
  const text = 'x'.repeat(8_000)
  for (let count = 0; count < 5_000; count++) {
    hub.append(source, 'stdout', text)
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  let seen = 0
  let missed = 0
  let rest = ''
  for await (const chunk of lines) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts.filter((line) => line !== '')) {
      const line = JSON.parse(part)
      if (typeof line.dropped === 'number') missed += line.dropped
      else if (line.text === text) seen += 1
    }
    if (seen + missed >= 5_000) break
    hub.append(source, 'stdout', 'poke')
  }
  assert.ok(missed > 1_000, `missed ${missed}`)
  assert.ok(seen > 50, `seen ${seen}`)
})

test('closing ends followers at once', { timeout: 5_000 }, async () => {
  const port = await freePort()
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  const server = await startAdminServer({
    ...{ port, token, fleet: 'chat', hub, clock, log: createHubLog(hub, clock) },
    ...{ processes: () => [user], stopLimitMs: () => 0, stop() {} },
  })
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`http://127.0.0.1:${port}/api/logs?follow=true`, { headers })
  await server.close()
  await assert.rejects(answer.text())
})

test('a port in use is explained: who has it, and what to change', async (t) => {
  const { port } = await startAdmin(t)
  const clock = new FakeClock()
  const hub = new LogHub(clock)
  const second = startAdminServer({
    ...{ port, token, fleet: 'chat', hub, clock, log: createHubLog(hub, clock) },
    ...{ processes: () => [], stopLimitMs: () => 0, stop() {} },
  })
  await assert.rejects(second, ({ code, message }) => {
    assert.equal(code, 'ADDRESS_IN_USE')
    assert.ok(
      message.includes(`port ${port} on 127.0.0.1 is used by process ${process.pid}`),
      message,
    )
    assert.match(message, /set admin\.port in covey\.config\.ts to another port$/)
    return true
  })
})

test('neither the token nor a session ever gets into the log', async (t) => {
  const { ask, bearer, cookieOf, hub, login } = await startAdmin(t)
  const cookie = cookieOf(await login())
  await login('wrong')
  await ask('/api/processes', { headers: bearer })
  await ask('/api/stop', { method: 'POST', headers: bearer })
  const text = JSON.stringify(hub.tail(undefined, 1_000))
  assert.ok(!text.includes(token) && !text.includes(cookie.split('=')[1]!))
})
