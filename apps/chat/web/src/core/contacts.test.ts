import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import type { FriendRequest, Person } from '../../../contracts/people.ts'
import { ada, bob, ChatBench } from './testing/chat-bench.ts'

const eve: Person = { id: 'u_eve00000', username: 'eve', nickname: 'Eve' }

const fromEve: FriendRequest = {
  id: 'r_1',
  from: eve,
  to: ada,
  note: 'from the choir',
  sentAtMs: 1,
  state: 'open',
}

async function openBench(): Promise<ChatBench> {
  const bench = new ChatBench()
  bench.server.people.set(eve.id, eve)
  await bench.connect()
  return bench
}

const friendsOf = (bench: ChatBench) => bench.chat.state.get().friends?.map(({ id }) => id)
const requestsOf = (bench: ChatBench) => bench.chat.state.get().requests?.map(({ id }) => id)

function relationOf(bench: ChatBench, userId: string): string | undefined {
  const { search } = bench.chat.state.get()
  return search.kind === 'found'
    ? search.people.find(({ id }) => id === userId)?.relation
    : undefined
}

test('friends and requests are loaded on connect', async () => {
  const bench = new ChatBench()
  bench.server.requests = [fromEve]
  assert.equal(bench.chat.state.get().friends, undefined)
  await bench.connect()
  assert.deepEqual(friendsOf(bench), [bob.id])
  assert.deepEqual(requestsOf(bench), ['r_1'])
})

test('a pushed request appears at once, and once', async () => {
  const bench = await openBench()
  bench.server.requests = [fromEve]
  bench.server.fate = 'doubled'
  bench.server.push({ type: 'friendRequest', request: fromEve })
  await bench.settle()
  assert.deepEqual(requestsOf(bench), ['r_1'])
})

test('an accepted request becomes a friend', async () => {
  const bench = await openBench()
  bench.server.requests = [fromEve]
  bench.server.push({ type: 'friendRequest', request: fromEve })
  await bench.settle()
  assert.equal(await bench.chat.contacts.answer('r_1', true), '')
  assert.deepEqual(requestsOf(bench), [])
  assert.deepEqual(friendsOf(bench), [bob.id, eve.id])
})

test('a refused request goes, and makes no friend', async () => {
  const bench = await openBench()
  bench.server.requests = [fromEve]
  bench.server.push({ type: 'friendRequest', request: fromEve })
  await bench.settle()
  assert.equal(await bench.chat.contacts.answer('r_1', false), '')
  await bench.settle()
  assert.deepEqual(requestsOf(bench), [])
  assert.deepEqual(friendsOf(bench), [bob.id])
})

test('a request that was answered elsewhere goes without a complaint', async () => {
  const bench = await openBench()
  bench.server.push({ type: 'friendRequest', request: fromEve })
  assert.equal(await bench.chat.contacts.answer('r_1', true), '')
  await bench.settle()
  assert.deepEqual(requestsOf(bench), [])
})

test('an answer that fails says so in a sentence and keeps the request', async () => {
  const bench = await openBench()
  bench.server.requests = [fromEve]
  bench.server.push({ type: 'friendRequest', request: fromEve })
  await bench.settle()
  bench.server.refusals.set('answerRequest', [new CoveyError('UNAVAILABLE', 'no')])
  assert.match(await bench.chat.contacts.answer('r_1', true), /cannot be reached/)
  assert.deepEqual(requestsOf(bench), ['r_1'])
})

test('a list that a push has overtaken while it was asked for is asked for again', async () => {
  const bench = await openBench()
  const { promise, resolve } = Promise.withResolvers<void>()
  bench.server.delays.set('requests', promise)
  bench.chat.contacts.refresh()
  await bench.settle()
  bench.server.requests = [fromEve]
  bench.server.push({ type: 'friendRequest', request: fromEve })
  const seen: number[] = []
  await bench.settle()
  bench.chat.state.subscribe(() => seen.push(bench.chat.state.get().requests?.length ?? 0))
  resolve()
  await bench.settle()
  assert.deepEqual([...new Set(seen)], [1])
})

test('presence that was pushed is newer than presence in a list', async () => {
  const bench = await openBench()
  assert.equal(bench.chat.state.get().online.get(bob.id), true)
  bench.server.push({ type: 'presence', change: { userId: bob.id, online: false } })
  await bench.settle()
  assert.equal(bench.chat.state.get().online.get(bob.id), false)
  bench.chat.contacts.refresh()
  await bench.settle()
  assert.equal(bench.chat.state.get().online.get(bob.id), false)
})

test('found people follow what happens to them', async () => {
  const bench = await openBench()
  await bench.chat.contacts.find('  eve ')
  assert.equal(relationOf(bench, eve.id), 'none')
  assert.equal(await bench.chat.contacts.request(eve.id, 'hello'), '')
  assert.equal(relationOf(bench, eve.id), 'requested')
  bench.server.push({ type: 'friendAdded', friend: eve })
  await bench.settle()
  assert.equal(relationOf(bench, eve.id), 'friend')
})

const toEve: FriendRequest = { ...fromEve, id: 'r_2', from: ada, to: eve, state: 'refused' }
const refusalsOf = (bench: ChatBench) => bench.chat.state.get().refusals.map(({ id }) => id)

test('whoever asked is told of a refusal at once, may ask again, and closes what is told', async () => {
  const bench = await openBench()
  await bench.chat.contacts.find('eve')
  await bench.chat.contacts.request(eve.id, 'hello')
  bench.server.fate = 'doubled'
  bench.server.push({ type: 'requestAnswered', request: toEve })
  await bench.settle()
  assert.deepEqual(refusalsOf(bench), [eve.id])
  assert.equal(relationOf(bench, eve.id), 'none')
  bench.chat.contacts.dismissRefusal(bob.id)
  assert.deepEqual(refusalsOf(bench), [eve.id])
  bench.chat.contacts.dismissRefusal(eve.id)
  assert.deepEqual(refusalsOf(bench), [])
})

test('a refusal is over when one asks again, and when they become friends', async () => {
  const bench = await openBench()
  const refuse = () => bench.server.push({ type: 'requestAnswered', request: toEve })
  refuse()
  await bench.settle()
  await bench.chat.contacts.request(eve.id, 'please')
  assert.deepEqual(refusalsOf(bench), [])
  refuse()
  await bench.settle()
  bench.server.push({ type: 'friendAdded', friend: eve })
  await bench.settle()
  assert.deepEqual(refusalsOf(bench), [])
})

test('only the last refusals are kept', async () => {
  const bench = await openBench()
  for (let n = 1; n <= 7; n++) {
    const to = { ...eve, id: `u_eve${n}0000` }
    bench.server.push({ type: 'requestAnswered', request: { ...toEve, to } })
  }
  await bench.settle()
  assert.deepEqual(
    refusalsOf(bench),
    ['7', '6', '5', '4', '3'].map((n) => `u_eve${n}0000`),
  )
})

test('a request that was refused on another device goes, and nobody is blamed', async () => {
  const bench = await openBench()
  bench.server.relations.set(eve.id, 'asking')
  bench.server.push({ type: 'friendRequest', request: fromEve })
  await bench.chat.contacts.find('eve')
  assert.equal(relationOf(bench, eve.id), 'asking')
  bench.server.push({ type: 'requestAnswered', request: { ...fromEve, state: 'refused' } })
  await bench.settle()
  assert.deepEqual([requestsOf(bench), refusalsOf(bench)], [[], []])
  assert.equal(relationOf(bench, eve.id), 'none')
})

test('an answer whose push was lost shows where the request was sent, with the next pull', async () => {
  const bench = await openBench()
  bench.server.relations.set(eve.id, 'requested')
  await bench.chat.contacts.find('eve')
  assert.equal(relationOf(bench, eve.id), 'requested')
  bench.server.relations.set(eve.id, 'none')
  bench.chat.contacts.refresh()
  await bench.settle()
  assert.equal(relationOf(bench, eve.id), 'none')
  const searches = bench.callsOf('findPeople').length
  bench.chat.contacts.refresh()
  await bench.settle()
  assert.equal(bench.callsOf('findPeople').length, searches, 'nothing is waited for any more')
})

test('asking somebody who is a friend already is no failure', async () => {
  const bench = await openBench()
  await bench.chat.contacts.find('eve')
  bench.server.refusals.set('requestFriend', [new CoveyError('ALREADY_FRIENDS', 'yes')])
  assert.equal(await bench.chat.contacts.request(eve.id, ''), '')
  assert.equal(relationOf(bench, eve.id), 'friend')
})

test('asking somebody who is gone says so', async () => {
  const bench = await openBench()
  assert.match(await bench.chat.contacts.request('u_nobody00', ''), /does not exist/)
})

test('only the newest search is shown', async () => {
  const bench = await openBench()
  const first = bench.chat.contacts.find('bob')
  const second = bench.chat.contacts.find('eve')
  await Promise.all([first, second])
  const { search } = bench.chat.state.get()
  assert.equal(search.kind === 'found' ? search.people[0]?.nickname : search.kind, 'Eve')
})

test('an empty search shows nothing, a failed one says why', async () => {
  const bench = await openBench()
  bench.server.refusals.set('findPeople', [new CoveyError('DEADLINE_EXCEEDED', 'slow')])
  await bench.chat.contacts.find('eve')
  assert.deepEqual(bench.chat.state.get().search, {
    kind: 'failed',
    text: 'eve',
    problem: 'The server took too long to answer.',
  })
  await bench.chat.contacts.find('   ')
  assert.deepEqual(bench.chat.state.get().search, { kind: 'none' })
})
