import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import { unreadOf } from './conversation.ts'
import { healMs } from './sync.ts'
import { ada, bob, ChatBench } from './testing/chat-bench.ts'

const unread = (bench: ChatBench) => unreadOf(bench.conversation!, ada.id)

async function openBench(): Promise<ChatBench> {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  await bench.settle()
  return bench
}

test('what was sent while away is there after login, in order, unread counted', async () => {
  const bench = new ChatBench()
  for (let number = 1; number <= 3; number++) bench.bobWrites(`${number}`)
  await bench.connect()
  assert.equal(unread(bench), 3)
  assert.equal(bench.conversation?.lastMessage?.text, '3')
  assert.deepEqual(bench.texts, ['1', '2', '3'])
  assert.deepEqual(bench.chat.state.get().people.get(bob.id), bob)
})

test('a push is shown live', async () => {
  const bench = await openBench()
  bench.bobWrites('live')
  await bench.clock.advance(0)
  assert.deepEqual(bench.texts, ['live'])
  assert.equal(bench.callsOf('messages').length, 1)
})

test('a doubled push is shown once', async () => {
  const bench = await openBench()
  bench.server.fate = 'doubled'
  bench.bobWrites('once')
  bench.bobWrites('twice')
  await bench.settle()
  assert.deepEqual(bench.texts, ['once', 'twice'])
})

test('pushes in the wrong order are shown in the right one', async () => {
  const bench = await openBench()
  bench.server.fate = 'held'
  for (const text of ['1', '2', '3']) bench.bobWrites(text)
  bench.server.release()
  await bench.settle()
  assert.deepEqual(bench.texts, ['1', '2', '3'])
})

test('a hole shown by a later push is pulled at once', async () => {
  const bench = await openBench()
  bench.server.fate = 'dropped'
  bench.bobWrites('lost')
  bench.server.fate = 'delivered'
  bench.bobWrites('seen')
  await bench.clock.advance(0)
  assert.deepEqual(bench.texts, ['lost', 'seen'])
})

test('a hole of several pages is filled to the end', async () => {
  const bench = await openBench()
  bench.server.fate = 'dropped'
  for (let number = 1; number < 450; number++) bench.bobWrites(`${number}`)
  bench.server.fate = 'delivered'
  bench.bobWrites('450')
  await bench.settle()
  assert.equal(bench.texts.length, 450)
  assert.deepEqual(bench.texts.slice(-2), ['449', '450'])
})

test('after a very long absence the newest page takes the place of the loaded part', async () => {
  const bench = await openBench()
  bench.bobWrites('old')
  await bench.disconnect()
  for (let number = 1; number <= 1_200; number++) bench.bobWrites(`${number}`)
  await bench.connect()
  assert.equal(bench.texts.length, 50)
  assert.equal(bench.texts.at(-1), '1200')
  await bench.chat.history.loadOlder(bench.id)
  assert.equal(bench.texts.length, 100)
  assert.equal(bench.texts[0], '1101')
})

test('a lost push that no other follows is healed by the regular pull', async () => {
  const bench = await openBench()
  bench.server.fate = 'dropped'
  bench.bobWrites('alone')
  await bench.settle()
  assert.deepEqual(bench.texts, [])
  await bench.clock.advance(healMs * 1.25)
  assert.deepEqual(bench.texts, ['alone'])
})

test('a second ready pulls what was lost before it', async () => {
  const bench = await openBench()
  bench.server.fate = 'dropped'
  bench.bobWrites('lost')
  bench.server.fate = 'delivered'
  bench.server.push({ type: 'ready' })
  await bench.clock.advance(0)
  assert.deepEqual(bench.texts, ['lost'])
})

test('a connection that returns resumes by sequence', async () => {
  const bench = await openBench()
  bench.bobWrites('before')
  await bench.settle()
  await bench.disconnect()
  assert.equal(bench.chat.state.get().connection.kind, 'reconnecting')
  bench.bobWrites('while away')
  bench.bobWrites('and again')
  assert.deepEqual(bench.texts, ['before'])
  await bench.connect()
  assert.equal(bench.chat.state.get().connection.kind, 'online')
  assert.deepEqual(bench.texts, ['before', 'while away', 'and again'])
  const ranges = bench.callsOf('messages').map((input) => (input as { afterSeq?: number }).afterSeq)
  assert.deepEqual(ranges, [undefined, 1])
})

test('a pull that fails is tried again until it succeeds, and the trouble is told', async () => {
  const bench = await openBench()
  const away = () => new CoveyError('DEPENDENCY_UNAVAILABLE', 'message service is away')
  bench.server.refusals.set('messages', [away(), away()])
  bench.server.fate = 'dropped'
  bench.bobWrites('1')
  bench.server.fate = 'delivered'
  bench.bobWrites('2')
  await bench.clock.advance(0)
  assert.equal(bench.chat.state.get().struggling, true)
  await bench.settle()
  assert.deepEqual(bench.texts, ['1', '2'])
  assert.equal(bench.chat.state.get().struggling, false)
})

test('a message in a conversation that is not known yet brings the conversation', async () => {
  const bench = await openBench()
  const eve = { id: 'u_eve00000', username: 'eve', nickname: 'Eve' }
  const id = bench.server.befriend(eve)
  bench.server.store(id, eve.id, 'eve-1-id', 'hi')
  await bench.settle()
  const conversation = bench.chat.state.get().conversations?.get(id)
  assert.equal(conversation?.lastMessage?.text, 'hi')
  assert.equal(unreadOf(conversation!, ada.id), 1)
  assert.equal(bench.chat.state.get().people.get(eve.id)?.nickname, 'Eve')
})

test('all pages of conversations are pulled on connect, and only news after that', async () => {
  const bench = new ChatBench()
  for (let number = 0; number < 25; number++) {
    const id = `u_friend${number}`
    bench.server.befriend({ id, username: id, nickname: id })
  }
  bench.server.listPage = 10
  await bench.connect()
  assert.equal(bench.chat.state.get().conversations?.size, 26)
  assert.equal(bench.callsOf('conversations').length, 3)
  await bench.clock.advance(healMs * 1.25)
  assert.equal(bench.callsOf('conversations').length, 4)
})

test('older pages are loaded on demand until the first message', async () => {
  const bench = new ChatBench()
  for (let number = 1; number <= 120; number++) bench.bobWrites(`${number}`)
  await bench.connect()
  bench.chat.select(bench.id)
  assert.equal(bench.texts.length, 50)
  await bench.chat.history.loadOlder(bench.id)
  await Promise.all([
    bench.chat.history.loadOlder(bench.id),
    bench.chat.history.loadOlder(bench.id),
  ])
  assert.equal(bench.texts.length, 120)
  assert.equal(bench.texts[0], '1')
  const calls = bench.callsOf('messages').length
  await bench.chat.history.loadOlder(bench.id)
  assert.equal(bench.callsOf('messages').length, calls)
})

test('an older page that does not come says so, and can be asked for again', async () => {
  const bench = new ChatBench()
  for (let number = 1; number <= 60; number++) bench.bobWrites(`${number}`)
  await bench.connect()
  bench.server.refusals.set('messages', [new CoveyError('DEADLINE_EXCEEDED', 'slow')])
  await bench.chat.history.loadOlder(bench.id)
  assert.equal(bench.conversation?.older, 'failed')
  await bench.chat.history.loadOlder(bench.id)
  assert.equal(bench.conversation?.older, 'idle')
  assert.equal(bench.texts.length, 60)
})

test('a closed conversation keeps only its newest messages', async () => {
  const bench = new ChatBench()
  for (let number = 1; number <= 300; number++) bench.bobWrites(`${number}`)
  await bench.connect()
  bench.chat.select(bench.id)
  for (let page = 0; page < 5; page++) await bench.chat.history.loadOlder(bench.id)
  assert.equal(bench.texts.length, 300)
  bench.chat.select(undefined)
  assert.equal(bench.texts.length, 200)
  assert.equal(bench.texts.at(-1), '300')
})

test('an ended session is told of, once for the stream that was cut', async () => {
  const bench = await openBench()
  bench.server.cutOff(new CoveyError('UNAUTHENTICATED', 'revoked'))
  await bench.clock.advance(0)
  assert.equal(bench.expired, 1)
})

test('nothing is written on a connection that belongs to somebody else', async () => {
  const bench = await openBench()
  await bench.disconnect()
  bench.chat.outbox.add(bench.id, 'from Ada alone')
  bench.server.caller = bob
  await bench.connect()
  assert.equal(bench.expired, 1)
  assert.deepEqual(bench.callsOf('send'), [])
})

test('a session that has ended while away is told of', async () => {
  const bench = await openBench()
  await bench.disconnect()
  bench.server.refusals.set('me', [new CoveyError('UNAUTHENTICATED', 'revoked')])
  await bench.connect()
  assert.equal(bench.expired, 1)
})

test('a stream that was cut for slowness is opened again and pulls', async () => {
  const bench = await openBench()
  bench.server.cutOff(new CoveyError('RESOURCE_EXHAUSTED', 'too slow'))
  bench.bobWrites('meanwhile')
  await bench.settle()
  assert.deepEqual(bench.texts, ['meanwhile'])
  assert.equal(bench.chat.state.get().connection.kind, 'online')
})

test('a friend with a known conversation is opened without asking the server', async () => {
  const bench = new ChatBench()
  await bench.connect()
  await bench.chat.openFriend(bob.id)
  assert.deepEqual(bench.chat.state.get().selection, { kind: 'conversation', id: bench.id })
  assert.equal(bench.callsOf('openDirect').length, 0)
})

test('a conversation with a new friend is made', async () => {
  const bench = new ChatBench()
  await bench.connect()
  const eve = { id: 'u_eve00000', username: 'eve', nickname: 'Eve' }
  const id = bench.server.befriend(eve)
  await bench.chat.openFriend(eve.id)
  assert.deepEqual(bench.chat.state.get().selection, { kind: 'conversation', id })
  await bench.settle()
  assert.deepEqual(bench.chat.state.get().conversations?.get(id)?.timeline?.messages, [])
})

test('a conversation that cannot be opened says why', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.server.refusals.set('openDirect', [new CoveyError('NOT_FRIENDS', 'no')])
  await bench.chat.openFriend('u_eve00000')
  const { selection } = bench.chat.state.get()
  assert.equal(selection.kind, 'opening')
  assert.match(selection.kind === 'opening' ? selection.problem : '', /not friends/)
})

test('a device that says it is offline is believed until a call succeeds', async () => {
  const bench = await openBench()
  const reachable = bench.chat.deviceChanged(false)
  assert.equal(bench.chat.state.get().deviceOffline, true)
  await reachable
  assert.equal(bench.chat.state.get().deviceOffline, false)
  await bench.disconnect()
  await bench.chat.deviceChanged(false)
  assert.equal(bench.chat.state.get().deviceOffline, true)
  await bench.connect()
  assert.equal(bench.chat.state.get().deviceOffline, false)
})
