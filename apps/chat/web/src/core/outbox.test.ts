import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import { bob, ChatBench } from './testing/chat-bench.ts'

const textsAtServer = (bench: ChatBench) => bench.server.history(bench.id).map(({ text }) => text)
const stages = (bench: ChatBench) => bench.outgoing.map(({ text, stage }) => [text, stage])

test('a message is shown at once and is in the history when the server has stored it', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  await bench.settle()
  bench.chat.outbox.add(bench.id, 'hello')
  assert.deepEqual(stages(bench), [['hello', 'waiting']])
  await bench.settle()
  assert.deepEqual(bench.texts, ['hello'])
  assert.deepEqual(bench.outgoing, [])
})

test('messages written without a connection go out in order, once', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  await bench.disconnect()
  for (const text of ['one', 'two', 'three']) bench.chat.outbox.add(bench.id, text)
  await bench.settle()
  assert.deepEqual(textsAtServer(bench), [])
  await bench.connect()
  assert.deepEqual(textsAtServer(bench), ['one', 'two', 'three'])
  assert.deepEqual(bench.texts, ['one', 'two', 'three'])
})

test('a message whose answer was lost is sent again and stored once', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.server.lostAnswers = 2
  bench.server.fate = 'dropped'
  bench.chat.outbox.add(bench.id, 'once')
  bench.chat.outbox.add(bench.id, 'after')
  await bench.settle()
  await bench.settle()
  assert.deepEqual(textsAtServer(bench), ['once', 'after'])
  assert.deepEqual(bench.texts, ['once', 'after'])
  const clientIds = bench.callsOf('send').map((input) => (input as { clientId: string }).clientId)
  assert.ok(clientIds.length > 2)
  assert.equal(new Set(clientIds).size, 2)
})

test('the push of an own message ends its sending', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.server.lostAnswers = 1
  bench.chat.outbox.add(bench.id, 'seen by push')
  await bench.settle()
  assert.deepEqual(bench.outgoing, [])
  assert.deepEqual(bench.texts, ['seen by push'])
  assert.equal(bench.callsOf('send').length, 1)
})

test('a resend waits as long as the server asks', async () => {
  const bench = new ChatBench()
  await bench.connect()
  const tooFast = new CoveyError('TOO_FAST', 'slow', { details: { retryAfterMs: 5_000 } })
  bench.server.refusals.set('send', [tooFast])
  bench.chat.outbox.add(bench.id, 'patient')
  await bench.clock.advance(4_900)
  assert.equal(bench.callsOf('send').length, 1)
  assert.equal(bench.chat.state.get().struggling, false)
  await bench.clock.advance(200)
  assert.deepEqual(textsAtServer(bench), ['patient'])
})

test('a server that does not answer is told of, and the message goes out when it does', async () => {
  const bench = new ChatBench()
  await bench.connect()
  const away = () => new CoveyError('UNAVAILABLE', 'no instance')
  bench.server.refusals.set('send', [away(), away(), away()])
  bench.chat.outbox.add(bench.id, 'kept')
  await bench.clock.advance(0)
  assert.equal(bench.chat.state.get().struggling, true)
  assert.deepEqual(stages(bench), [['kept', 'waiting']])
  await bench.clock.advance(5_000)
  assert.deepEqual(textsAtServer(bench), ['kept'])
  assert.equal(bench.chat.state.get().struggling, false)
})

test('a refused message is shown as failed with a reason, and those after it go on', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.server.refusals.set('send', [new CoveyError('NOT_FRIENDS', 'no')])
  const refused = bench.chat.outbox.add(bench.id, 'refused')
  bench.chat.outbox.add(bench.id, 'taken')
  await bench.settle()
  assert.deepEqual(stages(bench), [['refused', 'failed']])
  assert.match(bench.outgoing[0]?.reason ?? '', /not friends with this person/)
  assert.deepEqual(bench.texts, ['taken'])
  bench.chat.outbox.retry(refused)
  await bench.settle()
  assert.deepEqual(bench.texts, ['taken', 'refused'])
  assert.deepEqual(bench.outgoing, [])
})

test('a failed message can be deleted, one that waits cannot', async () => {
  const bench = new ChatBench()
  const waiting = bench.chat.outbox.add(bench.id, 'waiting')
  bench.chat.outbox.discard(waiting)
  assert.equal(bench.outgoing.length, 1)
  bench.server.refusals.set('send', [new CoveyError('NOT_A_MEMBER', 'no')])
  await bench.connect()
  assert.deepEqual(stages(bench), [['waiting', 'failed']])
  bench.chat.outbox.discard(waiting)
  assert.deepEqual(bench.outgoing, [])
  assert.deepEqual(bench.storage.keys('covey-chat.outbox.'), [])
})

test('unsent messages survive a reload, failed ones as failed', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.server.refusals.set('send', [new CoveyError('NOT_FRIENDS', 'no')])
  bench.chat.outbox.add(bench.id, 'failed')
  await bench.settle()
  await bench.disconnect()
  bench.chat.outbox.add(bench.id, 'first')
  bench.chat.outbox.add(bench.id, 'second')
  await bench.reload()
  assert.deepEqual(stages(bench), [
    ['failed', 'failed'],
    ['first', 'waiting'],
    ['second', 'waiting'],
  ])
  await bench.connect()
  assert.deepEqual(textsAtServer(bench), ['first', 'second'])
  assert.deepEqual(stages(bench), [['failed', 'failed']])
})

test('what another tab has sent is not sent here', async () => {
  const bench = new ChatBench()
  const clientId = bench.chat.outbox.add(bench.id, 'from the other tab')
  const key = bench.storage.keys('covey-chat.outbox.')[0] ?? ''
  bench.chat.storageChanged(key, null)
  assert.deepEqual(bench.outgoing, [])
  await bench.connect()
  assert.deepEqual(textsAtServer(bench), [])
  assert.ok(key.endsWith(clientId))
})

test('what a closed tab has left unsent goes out from here, once', async () => {
  const bench = new ChatBench()
  bench.chat.outbox.add(bench.id, 'here')
  const own = bench.storage.keys('covey-chat.outbox.')[0] ?? ''
  const left = { ...JSON.parse(bench.storage.get(own) ?? ''), clientId: 'id-of-other-tab' }
  const key = own.replace(/[^.]+$/, left.clientId)
  bench.storage.set(key, JSON.stringify({ ...left, text: 'left behind', order: 2 }))
  await bench.connect()
  assert.deepEqual(textsAtServer(bench), ['here', 'left behind'])
  const next = { ...left, clientId: 'id-of-third-tab', text: 'left with a connection' }
  bench.storage.set(own.replace(/[^.]+$/, next.clientId), JSON.stringify(next))
  bench.chat.look(true)
  await bench.settle()
  assert.deepEqual(textsAtServer(bench), ['here', 'left behind', 'left with a connection'])
  assert.deepEqual(bench.storage.keys('covey-chat.outbox.'), [])
  assert.deepEqual(bench.outgoing, [])
})

test('an unreadable entry is removed and does no harm', async () => {
  const bench = new ChatBench()
  bench.chat.outbox.add(bench.id, 'good')
  const key = bench.storage.keys('covey-chat.outbox.')[0] ?? ''
  bench.storage.set(`${key}x`, '{"half')
  bench.storage.set(`${key}y`, '{"conversationId":7}')
  await bench.reload()
  assert.deepEqual(stages(bench), [['good', 'waiting']])
  assert.deepEqual(bench.storage.keys('covey-chat.outbox.'), [key])
})

test('a stored message stays in sight while messages before it are missing', async () => {
  const bench = new ChatBench()
  await bench.connect()
  bench.chat.select(bench.id)
  await bench.settle()
  bench.server.fate = 'dropped'
  bench.bobWrites('lost push')
  const away = new CoveyError('UNAVAILABLE', 'no instance')
  bench.server.refusals.set('messages', [away])
  bench.chat.outbox.add(bench.id, 'mine')
  await bench.clock.advance(0)
  assert.deepEqual(bench.texts, [])
  assert.deepEqual(stages(bench), [['mine', 'stored']])
  await bench.settle()
  assert.deepEqual(bench.texts, ['lost push', 'mine'])
  assert.deepEqual(bench.outgoing, [])
})

test('messages to one conversation do not wait for another one', async () => {
  const bench = new ChatBench()
  const eve = { id: 'u_eve00000', username: 'eve', nickname: 'Eve' }
  const other = bench.server.befriend(eve)
  await bench.connect()
  const away = () => new CoveyError('UNAVAILABLE', 'no instance')
  bench.server.refusals.set('send', [away(), away()])
  bench.chat.outbox.add(bench.id, 'to Bob')
  bench.chat.outbox.add(other, 'to Eve')
  await bench.clock.advance(5_000)
  assert.deepEqual(textsAtServer(bench), ['to Bob'])
  assert.equal(bench.server.history(other)[0]?.text, 'to Eve')
  assert.equal(bench.server.history(bench.id)[0]?.senderId === bob.id, false)
})
