import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Client } from 'covey'
import { until } from 'covey/testing'
import type { chat } from '../contracts/chat.ts'
import type { Message } from '../contracts/messages.ts'
import { BrowserLike } from '../testing/browser-like.ts'
import { startProcesses } from '../testing/process-fleet.ts'

type Api = Client<typeof chat>

/** The whole platform with two gateways: ann is at the first, bob at the second, and they are friends. */
async function startFleet(t: TestContext) {
  const { start } = await startProcesses(t)
  const [user, message, presence] = await Promise.all([
    start('user'),
    start('message'),
    start('presence'),
  ])
  const [first, second] = await Promise.all([start('gateway'), start('gateway')])
  const ann = new BrowserLike(t, first.url)
  const bob = new BrowserLike(t, second.url)
  await ann.register('ann')
  await bob.register('bob')
  const apis = { ann: ann.connect(), bob: bob.connect() }
  await until(() => ann.of('ready').length > 0 && bob.of('ready').length > 0, 'both are there')
  const request = await apis.ann.requestFriend({ userId: bob.user!.id, note: 'hi 👋' })
  await until(() => bob.of('friendRequest').length > 0, 'bob sees the request')
  await apis.bob.answerRequest({ requestId: request.id, accept: true })
  await until(() => ann.of('friendAdded').length > 0, 'ann sees her friend')
  const { id } = await apis.ann.openDirect({ friendId: bob.user!.id })
  return { start, processes: { user, message, presence, first, second }, ann, bob, apis, id }
}

/** Sends until it is acknowledged, as a page does: over whatever connection there is then. */
async function sendSurely(api: () => Api, conversationId: string, text: string): Promise<Message> {
  const clientId = crypto.randomUUID()
  for (let tries = 0; tries < 200; tries++) {
    try {
      return await api().send({ conversationId, clientId, text }, { timeoutMs: 1_000 })
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  assert.fail(`not sent: ${text}`)
}

async function history(api: Api, conversationId: string): Promise<Message[]> {
  const all: Message[] = []
  for (;;) {
    const afterSeq = all.at(-1)?.seq ?? 0
    const page = await api.messages({ conversationId, afterSeq, limit: 200 })
    if (page.length === 0) return all
    all.push(...page)
  }
}

test('two gateways serve one chat: messages, receipts, presence, tickets, the end of sessions', async (t) => {
  const { ann, bob, apis, id, processes } = await startFleet(t)
  const message = await apis.ann.send({
    conversationId: id,
    clientId: 'client-id-1',
    text: '你好 🌏',
  })
  await until(() => bob.of('message').length === 1, 'bob gets it')
  assert.deepEqual(bob.of('message')[0]?.message, message)
  await apis.bob.acknowledge({ conversationId: id, readSeq: 1 })
  await until(() => ann.of('receipt').some(({ receipt }) => receipt.readSeq === 1), 'ann sees it')
  const online = (who: BrowserLike) => who.of('presence').at(-1)?.change.online
  await until(() => online(ann) === true && online(bob) === true, 'both see each other')

  // A ticket of the first gateway opens a connection at the second.
  const moved = new BrowserLike(t, processes.second.url)
  await moved.register('joe')
  const api = moved.connect(processes.first.url)
  assert.equal((await api.me()).username, 'joe')

  // Logging out at the first cuts off the connection at the second.
  const before = moved.states.length
  assert.equal(
    (await moved.ask('DELETE', '/api/session', undefined, processes.first.url)).status,
    204,
  )
  await until(
    () => moved.states.slice(before).some(({ state }) => state === 'waiting'),
    'cut',
    5_000,
  )
  const reason = moved.states.slice(before).find(({ state }) => state === 'waiting')?.info.error
  assert.equal(reason?.code, 'UNAUTHENTICATED')
})

test('kill -9 of every service in the middle of a chat loses nothing and doubles nothing', async (t) => {
  const { start, ann, bob, apis, id, processes } = await startFleet(t)
  const acknowledged: Message[] = []
  let stop = false
  async function chatter(who: string, api: () => Api): Promise<void> {
    for (let n = 0; !stop; n++) {
      acknowledged.push(await sendSurely(api, id, `${who} ${n}`))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const talk = Promise.all([chatter('ann', () => apis.ann), chatter('bob', () => apis.bob)])
  const progress = async (what: string) => {
    const before = acknowledged.length
    await until(() => acknowledged.length > before + 10, what, 20_000)
  }
  await progress('they talk')
  await processes.message.kill()
  await start('message')
  await progress('they talk after the message service was killed')
  await processes.user.kill()
  await start('user')
  await progress('they talk after the user service was killed')
  const readies = ann.of('ready').length
  await processes.presence.kill()
  await start('presence')
  await until(() => ann.of('ready').length > readies, 'ann is told to pull', 20_000)
  await progress('they talk after the presence service was killed')
  await processes.second.kill()
  apis.bob = await bob.moveTo(processes.first.url)
  await progress('they talk after a gateway was killed')
  stop = true
  await talk

  const [anns, bobs] = await Promise.all([history(apis.ann, id), history(apis.bob, id)])
  assert.deepEqual(anns, bobs)
  assert.deepEqual(
    anns.map(({ seq }) => seq),
    anns.map((_, index) => index + 1),
  )
  assert.equal(new Set(anns.map(({ senderId, clientId }) => senderId + clientId)).size, anns.length)
  assert.equal(anns.length, acknowledged.length)
  for (const message of acknowledged) assert.deepEqual(anns[message.seq - 1], message)
  // Whatever was pushed was true.
  for (const { message } of [...ann.of('message'), ...bob.of('message')]) {
    assert.deepEqual(anns[message.seq - 1], message)
  }
})

test('asked to stop, every process ends well while clients are connected', async (t) => {
  const { processes } = await startFleet(t)
  const { first, second, ...services } = processes
  for (const each of [first, second, ...Object.values(services)]) {
    assert.equal(await each.stop(), 0, each.output)
  }
})
