import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { silentLog } from 'covey'
import { fastify, type InjectOptions } from 'fastify'
import { RateLimiter } from '../base/rate-limiter.ts'
import { startUserService } from '../testing/user-service.ts'
import { sessionRoutes } from './session-routes.ts'
import { Tickets } from './tickets.ts'

const own = { host: 'chat.test:8090', origin: 'http://chat.test:8090' }
const ann = { username: 'ann', password: 'secret of ann', nickname: 'Ann 🌸' }

interface Wish {
  body?: unknown
  cookie?: string | undefined
  headers?: Record<string, string | undefined>
}

async function setUp(t: TestContext, { secure = false, burst = 100 } = {}) {
  const users = await startUserService(t)
  const { clock } = users
  const others = { redeem: Object.assign(async () => assert.fail(), { isError: () => false }) }
  const tickets = new Tickets({
    instance: 'g1',
    others: others as never,
    clock,
    random: randomBytes,
  })
  const ended: string[] = []
  const http = fastify()
  await sessionRoutes(http, {
    users: users.api,
    tickets,
    sessions: { end: (sessionId) => void ended.push(sessionId) },
    tries: new RateLimiter({ burst, perSecond: 1 }, clock),
    secure,
    origins: ['https://chat.example'],
    clock,
    log: silentLog,
  })
  t.after(() => http.close())

  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, wish: Wish = {}) {
    const headers = { ...own, cookie: wish.cookie, ...wish.headers }
    const given = Object.entries(headers).filter(([, value]) => value !== undefined)
    const options: InjectOptions = { method, url: path, headers: Object.fromEntries(given) }
    if (wish.body !== undefined) options.payload = wish.body as string | object
    const answer = await http.inject(options)
    const cookie = String(answer.headers['set-cookie'] ?? '')
    return { status: answer.statusCode, headers: answer.headers, cookie, answer }
  }

  async function register() {
    const { cookie } = await ask('POST', '/api/accounts', { body: ann })
    return cookie.split(';')[0]!
  }
  return { ...users, tickets, ended, ask, register }
}

test('registering and logging in give a cookie that no script can read', async (t) => {
  const { ask, api } = await setUp(t)
  const registered = await ask('POST', '/api/accounts', { body: ann })
  assert.equal(registered.status, 201)
  const { user } = registered.answer.json()
  assert.deepEqual([user.username, user.nickname], ['ann', 'Ann 🌸'])
  assert.deepEqual(Object.keys(registered.answer.json()), ['user'])
  const [pair, ...attributes] = registered.cookie.split('; ')
  assert.deepEqual(attributes, ['Path=/', 'HttpOnly', 'SameSite=Strict', 'Max-Age=2592000'])
  assert.equal(registered.headers['cache-control'], 'no-store')
  const token = pair!.replace('chat_session=', '')
  assert.deepEqual((await api.whoIs({ token })).user, user)
  assert.ok(!registered.answer.body.includes(token))

  const loggedIn = await ask('POST', '/api/session', { body: { ...ann, username: 'ANN ' } })
  assert.equal(loggedIn.status, 200)
  assert.deepEqual(loggedIn.answer.json(), { user })
  assert.notEqual(loggedIn.cookie.split(';')[0], pair)
})

test('behind https the cookie travels by https only', async (t) => {
  const { ask } = await setUp(t, { secure: true })
  const { cookie } = await ask('POST', '/api/accounts', { body: ann })
  assert.match(cookie, /; Secure$/)
})

test('who is logged in is told, and the cookie is kept as long as the session', async (t) => {
  const { ask, register, clock } = await setUp(t)
  const cookie = await register()
  await clock.advance(3 * 24 * 60 * 60 * 1_000)
  const who = await ask('GET', '/api/session', { cookie: `theme=dark; ${cookie}; x=y` })
  assert.equal(who.status, 200)
  assert.equal(who.answer.json().user.username, 'ann')
  assert.match(who.cookie, /Max-Age=2592000/)
})

test('nobody, an old cookie and a made-up one are told apart from a failure', async (t) => {
  const { ask, server, register } = await setUp(t)
  const nobody = await ask('GET', '/api/session')
  assert.equal(nobody.status, 200)
  assert.deepEqual(nobody.answer.json(), { user: null })
  assert.equal(nobody.cookie, '')
  const wrong = await ask('GET', '/api/session', { cookie: 'chat_session=made-up' })
  assert.deepEqual([wrong.status, wrong.answer.json()], [200, { user: null }])
  assert.match(wrong.cookie, /^chat_session=; .*Max-Age=0/)
  const cookie = await register()
  await server.kill()
  const away = await ask('GET', '/api/session', { cookie })
  assert.equal(away.status, 503)
  assert.equal(away.cookie, '')
})

test('logging out ends the session, its tickets and its connections', async (t) => {
  const { ask, register, ended, tickets } = await setUp(t)
  const cookie = await register()
  const { ticket } = (await ask('POST', '/api/session/ticket', { cookie })).answer.json()
  const out = await ask('DELETE', '/api/session', { cookie })
  assert.equal(out.status, 204)
  assert.match(out.cookie, /^chat_session=; .*Max-Age=0/)
  assert.equal(ended.length, 1)
  await assert.rejects(tickets.redeem(ticket), { code: 'UNAUTHENTICATED' })
  assert.deepEqual((await ask('GET', '/api/session', { cookie })).answer.json(), { user: null })
  assert.equal((await ask('DELETE', '/api/session', { cookie })).status, 204)
  assert.equal((await ask('DELETE', '/api/session')).status, 204)
})

test('logging in anew ends the session that the browser had', async (t) => {
  const { ask, register, ended } = await setUp(t)
  const cookie = await register()
  const again = await ask('POST', '/api/session', { cookie, body: ann })
  assert.equal(again.status, 200)
  assert.equal(ended.length, 1)
  assert.deepEqual((await ask('GET', '/api/session', { cookie })).answer.json(), { user: null })
  const wrong = await ask('POST', '/api/session', {
    cookie: again.cookie.split(';')[0],
    body: { ...ann, password: 'wrong' },
  })
  assert.equal(wrong.status, 401)
  assert.equal(wrong.cookie, '')
  assert.equal(ended.length, 1)
})

test('a ticket is for the user and the session of the cookie', async (t) => {
  const { ask, register, tickets, api } = await setUp(t)
  const cookie = await register()
  const answer = await ask('POST', '/api/session/ticket', { cookie })
  assert.equal(answer.status, 200)
  const session = await api.whoIs({ token: cookie.replace('chat_session=', '') })
  assert.deepEqual(await tickets.redeem(answer.answer.json().ticket), {
    userId: session.user.id,
    sessionId: session.sessionId,
  })
  assert.equal((await ask('POST', '/api/session/ticket')).status, 401)
})

test('a page of another origin can write nothing, and neither can a request that hides its own', async (t) => {
  const { ask, register, ended } = await setUp(t)
  const cookie = await register()
  const strangers = [
    'http://evil.test',
    'http://chat.test:9501',
    'http://chat.test',
    'null',
    'chat.test:8090',
    'http://chat.test:8090.evil.test',
    undefined,
  ]
  for (const origin of strangers) {
    for (const [method, path] of [
      ['POST', '/api/accounts'],
      ['POST', '/api/session'],
      ['DELETE', '/api/session'],
      ['POST', '/api/session/ticket'],
    ] as const) {
      const body = method === 'POST' ? { ...ann, username: 'mallory' } : undefined
      const { status, answer } = await ask(method, path, { cookie, body, headers: { origin } })
      assert.equal(status, 403, `${method} ${path} from ${origin}`)
      assert.equal(answer.json().code, 'PERMISSION_DENIED')
    }
  }
  assert.deepEqual(ended, [])
  const listed = await ask('POST', '/api/session/ticket', {
    cookie,
    headers: { origin: 'https://chat.example' },
  })
  assert.equal(listed.status, 200)
})

test('only JSON is taken', async (t) => {
  const { ask } = await setUp(t)
  const text = JSON.stringify(ann)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const headers = { 'content-type': type }
    const { status } = await ask('POST', '/api/accounts', { body: text, headers })
    assert.equal(status, 415, type)
  }
  const broken = await ask('POST', '/api/accounts', {
    body: '{"username": ',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(broken.status, 400)
  const proto = await ask('POST', '/api/accounts', {
    body: '{"__proto__": {"admin": true}, "username": "ann"}',
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(proto.status, 400)
})

test('errors are problems with the code of the contract and the fields', async (t) => {
  const { ask, register } = await setUp(t)
  await register()
  const taken = await ask('POST', '/api/accounts', { body: ann })
  assert.equal(taken.status, 409)
  assert.match(String(taken.headers['content-type']), /^application\/problem\+json/)
  const { code, status, details } = taken.answer.json()
  assert.deepEqual([code, status, details], ['USERNAME_TAKEN', 409, { username: 'ann' }])

  const invalid = await ask('POST', '/api/accounts', { body: { username: 'x', nickname: 'X' } })
  assert.equal(invalid.status, 422)
  assert.equal(invalid.answer.json().code, 'INVALID_INPUT')
  const fields = invalid.answer.json().details.issues.map(({ path }: { path: string }) => path)
  assert.deepEqual(fields.sort(), ['password', 'username'])

  const wrong = await ask('POST', '/api/session', { body: { ...ann, password: 'not it' } })
  assert.deepEqual([wrong.status, wrong.answer.json().code], [401, 'WRONG_LOGIN'])
  assert.ok(!wrong.answer.body.includes('not it'))
})

test('too many tries are refused with the time to wait, by account and by address', async (t) => {
  const { ask, register } = await setUp(t)
  await register()
  const body = { ...ann, password: 'not it' }
  for (let n = 0; n < 5; n++) await ask('POST', '/api/session', { body })
  const refused = await ask('POST', '/api/session', { body: ann })
  assert.deepEqual([refused.status, refused.answer.json().code], [429, 'TOO_MANY_TRIES'])
  assert.equal(refused.headers['retry-after'], '12')

  const other = await setUp(t, { burst: 2 })
  for (const username of ['one', 'two']) {
    await other.ask('POST', '/api/session', { body: { username, password: 'x' } })
  }
  const third = await other.ask('POST', '/api/accounts', { body: ann })
  assert.deepEqual([third.status, third.answer.json().code], [429, 'TOO_MANY_TRIES'])
})
