import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startUserService } from '../testing/user-service.ts'

const code = (expected: string) => (error: unknown) =>
  (error as { code?: string }).code === expected

async function people(t: Parameters<typeof startUserService>[0]) {
  const service = await startUserService(t)
  const [ann, bob, eve] = await Promise.all(
    ['ann', 'bob', 'eve'].map(async (name) => (await service.register(name)).user),
  )
  return { ...service, ann: ann!, bob: bob!, eve: eve! }
}

test('a request is seen at once by the other side and makes friends when accepted', async (t) => {
  const { api, pushes, ann, bob } = await people(t)
  const request = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: ' hi 👋 ' })
  assert.equal(request.note, 'hi 👋')
  assert.deepEqual([request.from, request.to, request.state], [ann, bob, 'open'])
  assert.deepEqual(await api.requestsTo({ userId: bob.id }), [request])
  assert.deepEqual(await api.requestsTo({ userId: ann.id }), [])
  assert.deepEqual(pushes.to(bob.id), [{ type: 'friendRequest', request }])
  assert.deepEqual(pushes.to(ann.id), [])
  assert.equal(await api.areFriends({ a: ann.id, b: bob.id }), false)

  const answered = await api.answerRequest({
    userId: bob.id,
    requestId: request.id,
    accept: true,
  })
  assert.equal(answered.state, 'accepted')
  for (const [a, b] of [
    [ann, bob],
    [bob, ann],
  ] as const) {
    assert.equal(await api.areFriends({ a: a.id, b: b.id }), true)
    assert.deepEqual(await api.friends({ userId: a.id }), [b])
    assert.deepEqual(pushes.to(a.id).slice(-2), [
      { type: 'requestAnswered', request: answered },
      { type: 'friendAdded', friend: b },
    ])
  }
  assert.deepEqual(await api.requestsTo({ userId: bob.id }), [])
})

test('requests that make no sense are refused', async (t) => {
  const { api, ann, bob, befriend } = await people(t)
  const ask = (toId: string) => api.requestFriend({ fromId: ann.id, toId, note: '' })
  await assert.rejects(ask(ann.id), code('NOT_YOURSELF'))
  await assert.rejects(ask('u_nobody-here'), code('NO_SUCH_USER'))
  await ask(bob.id)
  await assert.rejects(ask(bob.id), code('ALREADY_REQUESTED'))
  await api.requestFriend({ fromId: bob.id, toId: ann.id, note: '' })
  await assert.rejects(ask(bob.id), code('ALREADY_FRIENDS'))
  await assert.rejects(befriend(bob.id, ann.id), code('ALREADY_FRIENDS'))
})

test('asking back accepts', async (t) => {
  const { api, ann, bob } = await people(t)
  const first = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: 'me first' })
  const second = await api.requestFriend({ fromId: bob.id, toId: ann.id, note: 'no, me' })
  assert.deepEqual(second, { ...first, state: 'accepted' })
  assert.deepEqual(await api.friends({ userId: ann.id }), [bob])
})

test('two who ask each other at the same moment become friends', async (t) => {
  const { api, ann, bob } = await people(t)
  const requests = await Promise.all([
    api.requestFriend({ fromId: ann.id, toId: bob.id, note: '' }),
    api.requestFriend({ fromId: bob.id, toId: ann.id, note: '' }),
  ])
  assert.deepEqual(requests.map(({ state }) => state).sort(), ['accepted', 'open'])
  assert.equal(await api.areFriends({ a: bob.id, b: ann.id }), true)
})

test('a refused request makes nobody friends, is told to both sides, and may be made again', async (t) => {
  const { api, pushes, ann, bob } = await people(t)
  const request = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: '' })
  const refuse = { userId: bob.id, requestId: request.id, accept: false }
  const refused = await api.answerRequest(refuse)
  assert.equal(refused.state, 'refused')
  assert.deepEqual(await api.friends({ userId: ann.id }), [])
  for (const { id } of [ann, bob]) {
    assert.deepEqual(pushes.to(id).at(-1), { type: 'requestAnswered', request: refused })
  }
  const again = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: '' })
  assert.notEqual(again.id, request.id)
})

test('the same answer again gives the same and tells nobody; another answer is too late', async (t) => {
  const { api, pushes, ann, bob } = await people(t)
  const { id } = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: '' })
  const answer = { userId: bob.id, requestId: id, accept: true }
  const first = await api.answerRequest(answer)
  const told = pushes.all.length
  assert.deepEqual(await api.answerRequest(answer), first)
  assert.equal(pushes.all.length, told)
  await assert.rejects(api.answerRequest({ ...answer, accept: false }), code('REQUEST_GONE'))
  assert.equal(await api.areFriends({ a: ann.id, b: bob.id }), true)
})

test('nobody but the one who was asked can answer', async (t) => {
  const { api, ann, bob, eve } = await people(t)
  const { id } = await api.requestFriend({ fromId: ann.id, toId: bob.id, note: '' })
  for (const userId of [ann.id, eve.id]) {
    const answer = { userId, requestId: id, accept: true }
    await assert.rejects(api.answerRequest(answer), code('REQUEST_GONE'))
  }
  await assert.rejects(
    api.answerRequest({ userId: bob.id, requestId: 'r_unknown', accept: true }),
    code('REQUEST_GONE'),
  )
  assert.deepEqual(await api.friends({ userId: ann.id }), [])
})

test('requests are listed newest first', async (t) => {
  const { api, clock, ann, bob, eve } = await people(t)
  await api.requestFriend({ fromId: ann.id, toId: eve.id, note: '' })
  await clock.advance(10)
  await api.requestFriend({ fromId: bob.id, toId: eve.id, note: '' })
  const listed = await api.requestsTo({ userId: eve.id })
  assert.deepEqual(
    listed.map(({ from }) => from.id),
    [bob.id, ann.id],
  )
})

test('friends are listed by nickname, without regard to case', async (t) => {
  const { api, register, befriend, ann } = await people(t)
  for (const nickname of ['émile', 'Zoe', 'adam', 'Émil']) {
    const { user } = await register(`u.${Buffer.from(nickname).toString('hex')}`, nickname)
    await befriend(user.id, ann.id)
  }
  const friends = await api.friends({ userId: ann.id })
  assert.deepEqual(
    friends.map(({ nickname }) => nickname),
    ['adam', 'Zoe', 'Émil', 'émile'],
  )
})

test('open requests and friends of one user are limited', async (t) => {
  const { api, register, database, ann } = await people(t)
  const other = (await register('other')).user.id
  for (let i = 0; i < 100; i++) {
    const { user } = await register(`n.${i}`)
    await api.requestFriend({ fromId: ann.id, toId: user.id, note: '' })
  }
  const more = api.requestFriend({ fromId: ann.id, toId: other, note: '' })
  await assert.rejects(more, code('FAILED_PRECONDITION'))

  await database.commit(() => {
    const account = { nickname: 'F', nicknameFolded: 'f', passwordHash: '', nowMs: 0 }
    for (let i = 0; i < 1_000; i++) {
      const friendId = `u_friend-${i}`
      database.queries.insertUser.run({ ...account, id: friendId, username: `f.${i}` })
      database.queries.insertFriendship.run({ userId: other, friendId, nowMs: 0 })
    }
  })
  const { id } = await api.requestFriend({ fromId: other, toId: ann.id, note: '' })
  const accept = api.answerRequest({ userId: ann.id, requestId: id, accept: true })
  await assert.rejects(accept, code('FAILED_PRECONDITION'))
  assert.equal((await api.requestsTo({ userId: ann.id })).length, 1)
  assert.equal(await api.areFriends({ a: ann.id, b: other }), false)
})
