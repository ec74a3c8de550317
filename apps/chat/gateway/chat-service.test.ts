import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FriendRequest } from '../contracts/people.ts'
import { followEvents } from '../testing/follow-events.ts'
import { startLocalFleet } from '../testing/local-fleet.ts'

/** Two friends with a conversation, and a third user. */
async function startChat(t: TestContext) {
  const fleet = await startLocalFleet(t)
  const [ann, bob, eve] = [
    await fleet.join('ann'),
    await fleet.join('bob'),
    await fleet.join('eve'),
  ]
  await fleet.users.befriend(ann.id, bob.id)
  const { id } = await ann.api.openDirect({ friendId: bob.id })
  return { ...fleet, ann, bob, eve, id }
}

/** Events of somebody, once the stream is open. */
async function follow(
  t: TestContext,
  { wait }: { wait: (check: () => boolean) => Promise<void> },
  api: Parameters<typeof followEvents>[1],
) {
  const events = followEvents(t, api)
  await wait(() => events.of('ready').length > 0)
  return events
}

test('who asks is the user of the connection, for every method', async (t) => {
  const { ann, bob, id } = await startChat(t)
  assert.equal((await ann.api.me()).id, ann.id)
  assert.deepEqual(
    (await bob.api.friends()).map(({ id: friend }) => friend),
    [ann.id],
  )
  const message = await bob.api.send({ conversationId: id, clientId: 'client-id-1', text: 'hi' })
  assert.equal(message.senderId, bob.id)
  const page = await ann.api.conversations({})
  assert.deepEqual(page.people.map((person) => person.id).sort(), [ann.id, bob.id].sort())
  assert.deepEqual(page.conversations[0]?.lastMessage, message)
  const found = await ann.api.findPeople({ text: 'ann' })
  assert.deepEqual(
    found.map(({ relation }) => relation),
    ['self'],
  )
})

test('a user id in the input is not believed', async (t) => {
  const { ann, bob, eve, id } = await startChat(t)
  const lie = { senderId: ann.id, userId: ann.id, fromId: ann.id, askerId: ann.id }
  const draft = { conversationId: id, clientId: 'client-id-1', text: 'hi', ...lie }
  await assert.rejects(eve.api.send(draft), { code: 'NOT_A_MEMBER' })
  assert.equal((await bob.api.send(draft)).senderId, bob.id)
  await assert.rejects(eve.api.messages({ conversationId: id, ...lie }), { code: 'NOT_A_MEMBER' })
  const progress = { conversationId: id, readSeq: 1, ...lie }
  await assert.rejects(eve.api.acknowledge(progress), { code: 'NOT_A_MEMBER' })
  assert.deepEqual((await eve.api.conversations({})).conversations, [])
  await assert.rejects(eve.api.openDirect({ friendId: bob.id, ...lie }), { code: 'NOT_FRIENDS' })
})

test('nobody can answer a request to somebody else', async (t) => {
  const { ann, eve, bob } = await startChat(t)
  const request: FriendRequest = await eve.api.requestFriend({ userId: ann.id })
  for (const { api } of [eve, bob]) {
    const answer = { requestId: request.id, accept: true }
    await assert.rejects(api.answerRequest(answer), { code: 'REQUEST_GONE' })
  }
  assert.deepEqual(await bob.api.requests(), [])
  assert.equal((await ann.api.requests())[0]?.id, request.id)
})

test('a connection without identity, or of an ended session, may do nothing', async (t) => {
  const { gateway, ann } = await startChat(t)
  const clients = [gateway.server.client(), gateway.server.client({ subject: ann.id, claims: {} })]
  gateway.ended.add('s_over')
  clients.push(gateway.connect(ann.id, 's_over'))
  for (const api of clients) {
    const calls: Promise<unknown>[] = [
      api.me(),
      api.findPeople({ text: 'a' }),
      api.requestFriend({ userId: ann.id }),
      api.requests(),
      api.answerRequest({ requestId: 'r_1', accept: true }),
      api.friends(),
      api.conversations({}),
      api.openDirect({ friendId: ann.id }),
      api.send({ conversationId: 'c_12345678', clientId: 'client-id-1', text: 'x' }),
      api.messages({ conversationId: 'c_12345678' }),
      api.acknowledge({ conversationId: 'c_12345678' }),
      (async () => {
        for await (const _ of api.events()) break
      })(),
    ]
    assert.equal(calls.length, Object.keys(api).length)
    for (const call of await Promise.allSettled(calls)) {
      assert.equal(call.status === 'rejected' && call.reason.code, 'UNAUTHENTICATED')
    }
  }
  assert.equal(gateway.connections.size, 0)
})

test('messages and receipts are seen at once, on every device of both', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, id, gateway, wait } = fleet
  const devices = [
    await follow(t, fleet, ann.api),
    await follow(t, fleet, gateway.connect(ann.id)),
    await follow(t, fleet, bob.api),
  ]
  const message = await ann.api.send({ conversationId: id, clientId: 'client-id-1', text: 'hi 👋' })
  await wait(() => devices.every((device) => device.of('message').length === 1))
  for (const device of devices) assert.deepEqual(device.of('message')[0]?.message, message)
  const receipt = await bob.api.acknowledge({ conversationId: id, readSeq: 1 })
  await wait(() => devices.every((device) => device.of('receipt').length === 1))
  assert.deepEqual(devices[0]?.of('receipt')[0]?.receipt, receipt)
})

test('a third user sees nothing of it', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, eve, id, clock, wait } = fleet
  const spy = await follow(t, fleet, eve.api)
  const bobs = await follow(t, fleet, bob.api)
  await ann.api.send({ conversationId: id, clientId: 'client-id-1', text: 'secret' })
  await wait(() => bobs.of('message').length === 1)
  await clock.advance(5_000)
  assert.deepEqual(spy.seen, [{ type: 'ready' }])
})

test('requests and new friends are seen at once, and a new friend is watched', async (t) => {
  const fleet = await startChat(t)
  const { ann, eve, wait } = fleet
  const anns = await follow(t, fleet, ann.api)
  const eves = await follow(t, fleet, eve.api)
  const request = await eve.api.requestFriend({ userId: ann.id, note: 'hello' })
  await wait(() => anns.of('friendRequest').length === 1)
  assert.deepEqual(anns.of('friendRequest')[0]?.request, request)
  await ann.api.answerRequest({ requestId: request.id, accept: true })
  await wait(() => eves.of('friendAdded').length === 1 && anns.of('friendAdded').length === 1)
  assert.equal(eves.of('friendAdded')[0]?.friend.id, ann.id)
  const sees = (events: typeof anns, userId: string) =>
    events.of('presence').some(({ change }) => change.userId === userId && change.online)
  await wait(() => sees(anns, eve.id) && sees(eves, ann.id))
})

test('friends come and go live; a reloaded page is no going', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, clock, wait } = fleet
  const anns = await follow(t, fleet, ann.api)
  const states = () => anns.of('presence').map(({ change }) => change.online)
  await wait(() => states().length === 1)
  let bobs = await follow(t, fleet, bob.api)
  await wait(() => states().length === 2)
  assert.equal((await ann.api.friends())[0]?.online, true)
  bobs.stop()
  await clock.advance(500)
  bobs = await follow(t, fleet, bob.api)
  await clock.advance(5_000)
  assert.deepEqual(states(), [false, true])
  bobs.stop()
  await wait(() => states().length === 3)
  assert.deepEqual(states(), [false, true, false])
  assert.equal((await ann.api.friends())[0]?.online, false)
})

test('two gateways: a message finds whoever is at the other one', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, id, wait, addGateway } = fleet
  const second = addGateway('gateway-2')
  const bobs = await follow(t, fleet, second.connect(bob.id))
  const anns = await follow(t, fleet, ann.api)
  await ann.api.send({ conversationId: id, clientId: 'client-id-1', text: 'over there' })
  await wait(() => bobs.of('message').length === 1 && anns.of('message').length === 1)
  await wait(() => anns.of('presence').some(({ change }) => change.online))
})

test('when presence was away or forgot everything, clients are told to pull, and it goes on', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, id, presence, wait, pusher } = fleet
  const bobs = await follow(t, fleet, bob.api)
  await presence.server.kill()
  presence.forget()
  await ann.api.send({ conversationId: id, clientId: 'client-id-1', text: 'lost push' })
  await wait(() => fleet.messages.pushes.all.length > 0)
  const dropped = pusher.idle()
  await wait(async () => (await Promise.race([dropped, 'not yet'])) !== 'not yet')
  assert.deepEqual(bobs.of('message'), [])
  presence.server.restart()
  await wait(() => bobs.of('ready').length === 2)
  await ann.api.send({ conversationId: id, clientId: 'client-id-2', text: 'comes' })
  await wait(() => bobs.of('message').length === 1)
  const pulled = await bob.api.messages({ conversationId: id, afterSeq: 0 })
  assert.deepEqual(
    pulled.map(({ text }) => text),
    ['lost push', 'comes'],
  )
})

test('without the presence service the stream opens, friends are listed and messages are stored', async (t) => {
  const fleet = await startChat(t)
  const { ann, bob, id, presence } = fleet
  await presence.server.kill()
  await follow(t, fleet, bob.api)
  const friends = await bob.api.friends()
  assert.deepEqual(
    friends.map(({ id: friend, online }) => [friend, online]),
    [[ann.id, false]],
  )
  await ann.api.send({ conversationId: id, clientId: 'client-id-1', text: 'kept' })
  assert.equal((await bob.api.messages({ conversationId: id })).length, 1)
})

test('a client that does not read is cut off, and may come back', async (t) => {
  const fleet = await startChat(t)
  const { bob, gateway, wait } = fleet
  const slow = bob.api.events()[Symbol.asyncIterator]()
  const first = slow.next()
  await wait(() => gateway.connections.size === 1)
  await wait(async () => (await Promise.race([first, undefined])) !== undefined)
  for (let i = 0; i < 400; i++) {
    const change = { userId: `u_number-${i}`, online: true }
    const event = { type: 'presence', change } as const
    gateway.connections.deliver([bob.id], event)
  }
  await assert.rejects(
    async () => {
      for (let read = 0; read < 1_000; read++) if ((await slow.next()).done) return
    },
    { code: 'RESOURCE_EXHAUSTED' },
  )
  await wait(() => gateway.connections.size === 0)
  await follow(t, fleet, bob.api)
})

test('one user cannot open streams without end', async (t) => {
  const { bob, gateway, wait } = await startChat(t)
  const streams = Array.from({ length: 55 }, () => followEvents(t, bob.api))
  await wait(() => gateway.connections.size === 50)
  const errors = await Promise.all(streams.slice(50).map(({ ended }) => ended))
  for (const error of errors) assert.equal(error?.code, 'RESOURCE_EXHAUSTED')
})

test('a stream that ends leaves nothing behind', async (t) => {
  const fleet = await startChat(t)
  const { bob, gateway, presence, wait } = fleet
  const bobs = await follow(t, fleet, bob.api)
  await wait(() => presence.routes(bob.id).length === 1)
  bobs.stop()
  await wait(() => presence.routes(bob.id).length === 0)
  assert.equal(gateway.connections.size, 0)
})
