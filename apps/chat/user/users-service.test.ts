import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Nickname } from '../contracts/people.ts'
import { startUserService } from '../testing/user-service.ts'

const dayMs = 24 * 60 * 60 * 1_000
const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected

test('registering gives a session that tells who it is', async (t) => {
  const { api, register, database } = await startUserService(t)
  const ann = await register('ann', 'Ann 🌸')
  assert.equal(Buffer.from(ann.token, 'base64url').length, 32)
  const session = await api.whoIs({ token: ann.token })
  assert.deepEqual(session.user, { id: ann.user.id, username: 'ann', nickname: 'Ann 🌸' })
  assert.equal(session.sessionId, ann.sessionId)
  const stored = database.queries.account.get({ username: 'ann' })
  assert.match(stored!.passwordHash, /^\$scrypt\$/)
  assert.ok(!stored!.passwordHash.includes('secret'))
})

test('only a hash of the token is kept', async (t) => {
  const { database, register, clock } = await startUserService(t)
  const { token } = await register('ann')
  const tokenHash = createHash('sha256').update(token).digest()
  assert.ok(database.queries.session.get({ tokenHash, nowMs: clock.wallMs() }))
  const asItIs = Buffer.from(token, 'base64url')
  assert.equal(database.queries.session.get({ tokenHash: asItIs, nowMs: 0 }), undefined)
})

test('a username is taken once, whatever its case, also by two at the same time', async (t) => {
  const { api, register } = await startUserService(t)
  const both = await Promise.allSettled([register('ann', 'A'), register('ANN', 'B')])
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  await assert.rejects(register('Ann'), (error) => {
    assert.ok(api.register.isError(error, 'USERNAME_TAKEN'))
    assert.equal(error.details.username, 'ann')
    return true
  })
})

test('names and passwords that do not fit are refused with their field', async (t) => {
  const { api } = await startUserService(t)
  const good = { username: 'ann', nickname: 'Ann', password: 'long enough' }
  const bad = [
    { ...good, username: 'an' },
    { ...good, username: 'ann smith' },
    { ...good, username: 'änn' },
    { ...good, password: 'short' },
    { ...good, nickname: '   ' },
    { ...good, nickname: 'x\u202Egnp' },
    { ...good, nickname: '\u200D\u200D' },
    { ...good, nickname: 'An\u200Bn' },
    { ...good, nickname: '\u3164\u2800' },
    { ...good, nickname: 'A\u061Cnn' },
  ]
  for (const input of bad) await assert.rejects(api.register(input), code('INVALID_INPUT'))
  const half = 'half \uD83D'
  await assert.rejects(api.register({ ...good, nickname: half }), {
    code: 'UNENCODABLE',
    message: /^nickname: .*surrogate/,
  })
  // JSON carries it: the contract refuses what comes from a page over HTTP.
  assert.match(Nickname.safeParse(half).error?.message ?? '', /surrogate/)
  for (const [at, nickname] of ['👩‍👩‍👧', 'می‌خواهم', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'].entries())
    await api.register({ ...good, username: `joined${at}`, nickname })
})

test('logging in needs the right password, and says the same for an unknown name', async (t) => {
  const { api, register } = await startUserService(t)
  const { user } = await register('ann')
  const session = await api.logIn({ username: ' ANN ', password: 'secret of ann' })
  assert.deepEqual(session.user, user)
  const errors = await Promise.all(
    [
      { username: 'ann', password: 'secret of Ann' },
      { username: 'nobody', password: 'secret of ann' },
      { username: 'not a name!', password: '' },
    ].map((input) =>
      api.logIn(input).then(
        () => assert.fail('logged in'),
        (error) => error.toData(),
      ),
    ),
  )
  for (const error of errors) assert.deepEqual(error, errors[0])
  assert.equal(errors[0]?.code, 'WRONG_LOGIN')
})

test('a password is the same in every Unicode form', async (t) => {
  const { api } = await startUserService(t)
  await api.register({ username: 'ann', nickname: 'Ann', password: 'Ünïcödé pass' })
  await api.logIn({ username: 'ann', password: 'Ünïcödé pass'.normalize('NFD') })
})

test('the sixth try to log in within a minute is refused, known name or not', async (t) => {
  const { api, register, clock } = await startUserService(t)
  await register('ann')
  for (const username of ['ann', 'nobody']) {
    for (let i = 0; i < 5; i++) {
      await assert.rejects(api.logIn({ username, password: 'wrong' }), code('WRONG_LOGIN'))
    }
    await assert.rejects(api.logIn({ username, password: 'secret of ann' }), (error) => {
      assert.ok(api.logIn.isError(error, 'TOO_MANY_TRIES'))
      assert.ok(error.details.retryAfterMs > 0 && error.details.retryAfterMs <= 12_000)
      return true
    })
  }
  await clock.advance(12_000)
  await api.logIn({ username: 'ann', password: 'secret of ann' })
  // A right password gives all tries back.
  for (let i = 0; i < 5; i++) {
    await assert.rejects(api.logIn({ username: 'ann', password: 'wrong' }), code('WRONG_LOGIN'))
  }
})

test('a session ends after thirty days without use, and lasts while it is used', async (t) => {
  const { api, register, clock } = await startUserService(t)
  const used = await register('ann')
  const unused = await api.logIn({ username: 'ann', password: 'secret of ann' })
  for (let day = 0; day < 40; day += 10) {
    await clock.advance(10 * dayMs)
    await api.whoIs({ token: used.token })
  }
  await assert.rejects(api.whoIs({ token: unused.token }), code('UNAUTHENTICATED'))
  const ids = [used.sessionId, unused.sessionId, 's_other']
  assert.deepEqual(await api.liveSessions({ sessionIds: ids }), [used.sessionId])
  await clock.advance(30 * dayMs)
  await assert.rejects(api.whoIs({ token: used.token }), code('UNAUTHENTICATED'))
})

test('a session is renewed once a day at most', async (t) => {
  const { api, register, clock } = await startUserService(t)
  const { token, expiresAtMs } = await register('ann')
  await clock.advance(dayMs - 1)
  assert.equal((await api.whoIs({ token })).expiresAtMs, expiresAtMs)
  await clock.advance(1)
  assert.equal((await api.whoIs({ token })).expiresAtMs, expiresAtMs + dayMs)
})

test('logging out ends that session and no other, and may be repeated', async (t) => {
  const { api, register } = await startUserService(t)
  const one = await register('ann')
  const two = await api.logIn({ username: 'ann', password: 'secret of ann' })
  assert.deepEqual(await api.logOut({ token: one.token }), { sessionId: one.sessionId })
  assert.deepEqual(await api.logOut({ token: one.token }), { sessionId: null })
  assert.deepEqual(await api.logOut({ token: 'never was one' }), { sessionId: null })
  await assert.rejects(api.whoIs({ token: one.token }), code('UNAUTHENTICATED'))
  await api.whoIs({ token: two.token })
})

test('the oldest of too many sessions is ended', async (t) => {
  const { api, register, clock } = await startUserService(t)
  const first = await register('ann')
  const tokens = []
  for (let i = 0; i < 50; i++) {
    await clock.advance(1_000)
    tokens.push((await api.logIn({ username: 'ann', password: 'secret of ann' })).token)
  }
  await assert.rejects(api.whoIs({ token: first.token }), code('UNAUTHENTICATED'))
  for (const token of tokens) await api.whoIs({ token })
})

test('people are looked up by id, unknown ones left out, without anything secret', async (t) => {
  const { api, register } = await startUserService(t)
  const ann = await register('ann')
  const bob = await register('bob')
  const found = await api.get({ ids: [bob.user.id, ann.user.id, 'u_unknown-one'] })
  assert.deepEqual(found.map(({ username }) => username).sort(), ['ann', 'bob'])
  assert.deepEqual(Object.keys(found[0]!).sort(), ['id', 'nickname', 'username'])
})
