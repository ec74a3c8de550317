import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CoveyError } from 'covey'
import { Draft, type Receipt } from '../contracts/messages.ts'
import { ann, bob, eve, startMessageService } from '../testing/message-service.ts'

async function start(t: TestContext, options: Parameters<typeof startMessageService>[1] = {}) {
  const service = await startMessageService(t, options)
  const { id } = await service.api.openDirect({ userId: ann, friendId: bob })
  const receiptOf = async (userId: string): Promise<Receipt> => {
    const { conversations } = await service.api.list({ userId })
    return conversations[0]!.receipts.find((receipt) => receipt.userId === userId)!
  }
  return { ...service, id, receiptOf }
}

test('two who open their conversation at the same moment, from both sides, get one', async (t) => {
  const { api } = await startMessageService(t)
  const opened = await Promise.all([
    api.openDirect({ userId: ann, friendId: bob }),
    api.openDirect({ userId: bob, friendId: ann }),
    api.openDirect({ userId: ann, friendId: bob }),
  ])
  assert.equal(new Set(opened.map(({ id }) => id)).size, 1)
  assert.deepEqual(opened[0]?.memberIds, [ann, bob])
  assert.deepEqual([opened[0]?.lastSeq, opened[0]?.lastMessage], [0, null])
  for (const userId of [ann, bob]) {
    const page = await api.list({ userId })
    assert.equal(page.conversations.length, 1)
    assert.equal(page.next, null)
  }
})

test('only friends open a conversation; one that is open stays readable', async (t) => {
  const { api, id, send, setFriends } = await start(t)
  await assert.rejects(api.openDirect({ userId: ann, friendId: eve }), { code: 'NOT_FRIENDS' })
  await send(id, ann, 'hello')
  setFriends(ann, bob, false)
  assert.equal((await api.openDirect({ userId: bob, friendId: ann })).lastSeq, 1)
  assert.equal((await api.messages({ userId: bob, conversationId: id })).length, 1)
})

test('a message is committed with the next sequence and pushed to all members', async (t) => {
  const { api, id, send, pushes } = await start(t)
  const first = await send(id, ann, 'one')
  const second = await send(id, bob, 'two')
  assert.deepEqual([first.seq, second.seq], [1, 2])
  assert.deepEqual(await api.messages({ userId: bob, conversationId: id }), [first, second])
  for (const member of [ann, bob]) {
    assert.deepEqual(
      pushes.to(member).filter(({ type }) => type === 'message'),
      [
        { type: 'message', message: first },
        { type: 'message', message: second },
      ],
    )
  }
})

test('many sends at one moment get sequences without gap or double', async (t) => {
  const { api, id, send } = await start(t)
  const sends = Array.from({ length: 500 }, (_, i) => send(id, i % 3 ? ann : bob, `text ${i}`))
  const seqs = (await Promise.all(sends)).map(({ seq }) => seq)
  assert.deepEqual(
    seqs.toSorted((a, b) => a - b),
    Array.from({ length: 500 }, (_, i) => i + 1),
  )
  assert.equal((await api.list({ userId: ann })).conversations[0]?.lastSeq, 500)
})

test('a resend gives the first result, at once and later, and is stored once', async (t) => {
  const { api, id, send, clock } = await start(t)
  const draft = { conversationId: id, senderId: ann, clientId: 'same-client-id', text: 'hi' }
  const results = await Promise.all(Array.from({ length: 20 }, () => api.send(draft)))
  await send(id, bob, 'between')
  await clock.advance(1_000)
  results.push(await api.send(draft))
  for (const result of results) assert.deepEqual(result, results[0])
  assert.equal((await api.messages({ userId: ann, conversationId: id })).length, 2)
})

test('a client id stands for one text in one conversation, for ever', async (t) => {
  const { api, id, setFriends } = await start(t)
  const draft = { conversationId: id, senderId: ann, clientId: 'same-client-id', text: 'hi' }
  await api.send(draft)
  const other = { ...draft, text: 'something else' }
  await assert.rejects(api.send(other), (error) => {
    assert.ok(api.send.isError(error, 'CLIENT_ID_REUSED'))
    assert.equal(error.details.clientId, draft.clientId)
    return true
  })
  setFriends(ann, eve, true)
  const elsewhere = await api.openDirect({ userId: ann, friendId: eve })
  const moved = { ...draft, conversationId: elsewhere.id }
  await assert.rejects(api.send(moved), { code: 'CLIENT_ID_REUSED' })
  // Another sender may use it.
  assert.equal((await api.send({ ...draft, senderId: bob })).seq, 2)
})

test('a resend of the newest message pushes it again, since its push may be lost too', async (t) => {
  const { api, id, send, pushes } = await start(t)
  const draft = { conversationId: id, senderId: ann, clientId: 'same-client-id', text: 'hi' }
  await api.send(draft)
  await api.send(draft)
  assert.equal(pushes.to(bob).length, 2)
  await send(id, ann, 'newer')
  const before = pushes.to(bob).length
  await api.send(draft)
  assert.equal(pushes.to(bob).length, before)
})

test('who is a friend no more cannot send, but a resend still gets its result', async (t) => {
  const { api, id, send, setFriends, clock } = await start(t)
  const draft = { conversationId: id, senderId: ann, clientId: 'same-client-id', text: 'hi' }
  const first = await api.send(draft)
  setFriends(ann, bob, false)
  await clock.advance(5_000)
  await assert.rejects(send(id, ann, 'again'), { code: 'NOT_FRIENDS' })
  assert.deepEqual(await api.send(draft), first)
})

test('that two are friends is asked once in a while, that they are not each time', async (t) => {
  const { id, send, asked, setFriends, clock, api } = await start(t)
  const before = asked.length
  for (let i = 0; i < 10; i++) await send(id, i % 2 ? ann : bob, 'x')
  assert.equal(asked.length, before)
  await clock.advance(5_000)
  await send(id, ann, 'x')
  assert.equal(asked.length, before + 1)
  await assert.rejects(api.openDirect({ userId: ann, friendId: eve }), { code: 'NOT_FRIENDS' })
  setFriends(ann, eve, true)
  await api.openDirect({ userId: ann, friendId: eve })
})

test('a third user gets nothing, and learns nothing', async (t) => {
  const { api, id, send, pushes } = await start(t)
  await send(id, ann, 'secret')
  const unknown = 'c_there-is-none-like-this'
  for (const conversationId of [id, unknown]) {
    const about = { conversationId, userId: eve }
    const tries = [
      api.messages(about),
      api.acknowledge({ ...about, readSeq: 1 }),
      api.send({ conversationId, senderId: eve, clientId: 'client-id-eve', text: 'x' }),
    ]
    for (const result of await Promise.allSettled(tries)) {
      assert.equal(result.status, 'rejected')
      assert.equal(result.reason.code, 'NOT_A_MEMBER')
      assert.deepEqual(result.reason.details, { conversationId })
    }
  }
  assert.deepEqual(await api.list({ userId: eve }), { conversations: [], next: null })
  assert.deepEqual(pushes.to(eve), [])
})

test('text is kept byte for byte', async (t) => {
  const { api, id, send } = await start(t)
  const texts = [
    '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽',
    'e\u0301 is not é',
    '\u0000 zero, \t tab,\r\n line',
    '<script>alert("&amp;")</script>',
    "'; DROP TABLE messages; --",
    '\u202Eright to left\u202C',
    '𝕳𝖊𝖑𝖑𝖔 漢字 עברית हिन्दी',
    'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L',
    '𠮷'.repeat(4_000),
  ]
  for (const text of texts) await send(id, ann, text)
  const stored = await api.messages({ userId: bob, conversationId: id })
  assert.deepEqual(
    stored.map(({ text }) => text),
    texts,
  )
})

test('half a character, nothing and too much are refused with the reason', async (t) => {
  const { id, send, api } = await start(t)
  for (const text of ['\uD83D', 'x\uDE00y', '\uDE00\uD83D']) {
    await assert.rejects(send(id, ann, text), {
      code: 'UNENCODABLE',
      message: /^text: .*surrogate/,
    })
    // JSON carries it: the contract refuses what comes from a page over HTTP.
    assert.match(Draft.shape.text.safeParse(text).error?.message ?? '', /surrogate/)
  }
  await assert.rejects(send(id, ann, ''), { code: 'INVALID_INPUT' })
  await assert.rejects(send(id, ann, 'x'.repeat(8_001)), /at most 8,000 characters/)
  const odd = { conversationId: id, senderId: ann, clientId: 'has space', text: 'x' }
  await assert.rejects(api.send(odd), /clientId/)
})

test('who sends too fast is told how long to wait; resends are never refused', async (t) => {
  const flood = { burst: 3, perSecond: 2 }
  const { api, id, send, clock } = await start(t, { flood })
  const draft = { conversationId: id, senderId: ann, clientId: 'same-client-id', text: 'hi' }
  const first = await api.send(draft)
  await send(id, ann, '2')
  await send(id, ann, '3')
  await assert.rejects(send(id, ann, '4'), (error) => {
    assert.ok(api.send.isError(error, 'TOO_FAST'))
    assert.equal(error.details.retryAfterMs, 500)
    return true
  })
  assert.deepEqual(await api.send(draft), first)
  await send(id, bob, 'another user')
  await clock.advance(500)
  assert.equal((await send(id, ann, '4')).seq, 5)
})

test('receipts move forward only, and never beyond the newest message', async (t) => {
  const { api, id, send, pushes, receiptOf } = await start(t)
  for (let i = 0; i < 5; i++) await send(id, ann, `text ${i}`)
  const told = pushes.all.length
  const ack = (progress: { deliveredSeq?: number; readSeq?: number }) =>
    api.acknowledge({ conversationId: id, userId: bob, ...progress })
  const seqs = ({ deliveredSeq, readSeq }: Receipt) => [deliveredSeq, readSeq]
  assert.deepEqual(seqs(await ack({ deliveredSeq: 3 })), [3, 0])
  assert.deepEqual(seqs(await ack({ deliveredSeq: 1, readSeq: 2 })), [3, 2])
  assert.deepEqual(seqs(await ack({ readSeq: 4 })), [4, 4])
  assert.deepEqual(seqs(await ack({ deliveredSeq: 99, readSeq: 1 })), [5, 4])
  assert.deepEqual(seqs(await ack({})), [5, 4])
  assert.deepEqual(seqs(await receiptOf(bob)), [5, 4])
  // Only what changed was told, to both sides.
  assert.equal(pushes.all.length - told, 4)
  assert.deepEqual(pushes.to(ann).at(-1), { type: 'receipt', receipt: await receiptOf(bob) })
})

test('own messages count as read, and reading by writing is told to the others', async (t) => {
  const { id, send, receiptOf, pushes } = await start(t)
  await send(id, ann, 'one')
  assert.deepEqual(await receiptOf(ann), {
    conversationId: id,
    userId: ann,
    deliveredSeq: 1,
    readSeq: 1,
  })
  assert.deepEqual((await receiptOf(bob)).readSeq, 0)
  assert.ok(!pushes.all.some(({ event }) => event.type === 'receipt'))
  await send(id, bob, 'an answer')
  const receipt = { conversationId: id, userId: bob, deliveredSeq: 2, readSeq: 2 }
  assert.deepEqual(await receiptOf(bob), receipt)
  assert.deepEqual(pushes.to(ann).at(-1), { type: 'receipt', receipt })
})

test('the times of a conversation never go back, whatever the clock does', async (t) => {
  const { id, send, clock } = await start(t)
  const first = await send(id, ann, 'one')
  const wallMs = clock.wallMs.bind(clock)
  clock.wallMs = () => wallMs() - 3_600_000
  assert.equal((await send(id, ann, 'two')).sentAtMs, first.sentAtMs)
})

test('when the user service does not answer nothing is stored and nothing is confirmed', async (t) => {
  const { api, id, userService, clock } = await start(t)
  const draft = { conversationId: id, senderId: ann, clientId: 'client-id-1', text: 'x' }
  await clock.advance(5_000)
  userService.error = new CoveyError('UNAVAILABLE', 'users: none is running')
  await assert.rejects(api.send(draft), { code: 'UNAVAILABLE' })
  assert.deepEqual(await api.messages({ userId: ann, conversationId: id }), [])
  userService.error = undefined
  assert.equal((await api.send(draft)).seq, 1)
})
