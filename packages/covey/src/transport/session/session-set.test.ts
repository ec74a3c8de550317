import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Handler } from '../../call/handler.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { clientStream, serverStream, unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { writeCallHead } from './call-head.ts'
import { SessionSet } from './session-set.ts'

const { methods } = defineContract('t', {
  ask: unary(),
  items: serverStream({ output: z.any() }),
  sum: clientStream({ input: z.any() }),
})

function frame(type: number, id: number, write: Parameters<FrameWriter['frame']>[3]): Uint8Array {
  const writer = new FrameWriter(1 << 20)
  writer.frame(type, 0, id, write)
  return writer.take()
}

function bench(serve: Handler = async () => undefined, changes: Partial<Limits> = {}) {
  const clock = new FakeClock()
  const dispatcher = { instance: 'i1', methods: [methods.ask, methods.items, methods.sum], serve }
  const sessions = new SessionSet(dispatcher, {
    limits: { ...defaultLimits, ...changes },
    clock,
    authenticate: async (subject) => (subject ? { subject, claims: {} } : undefined),
  })
  /** A peer that has introduced itself. */
  const join = async (credential?: string): Promise<MemoryPipe> => {
    const pipe = memoryPipe()
    sessions.add(pipe)
    const limits = { maxFrameBytes: 1 << 20, streamWindowBytes: 1 << 16 }
    const hello = JSON.stringify({ covey: 1, newest: 2, codecs: ['json'], credential, ...limits })
    pipe.receive(frame(frameType.hello, 0, (out) => out.text(hello)))
    await clock.advance(0)
    return pipe
  }
  return { clock, sessions, join }
}

function call(pipe: MemoryPipe, id: number, method = 0): void {
  const head = { method, timeoutMs: 60_000, trace: undefined, metadata: new Map() }
  pipe.receive(frame(frameType.call, id, (out) => writeCallHead(head, out)))
}

/** Answers a ping: whatever was sent before has been read. */
function pong(pipe: MemoryPipe): void {
  pipe.receive(frame(frameType.pong, 0, () => {}))
}

/** All that was written since the last look, as text. */
function told(pipe: MemoryPipe): string {
  pipe.turn()
  return pipe.writes
    .splice(0)
    .map((bytes) => new TextDecoder().decode(bytes))
    .join('')
}

/** Settled or not, for a test to look at. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const seen = { done: false }
  void promise.then(() => {
    seen.done = true
  })
  return seen
}

test('it counts its sessions, and knows who has introduced itself', async () => {
  const { sessions, join } = bench()
  const mute = memoryPipe()
  sessions.add(mute)
  const known = await join('u_7')
  await join()
  assert.equal(sessions.size, 3)
  const peers = [...sessions.peers()]
  assert.deepEqual(
    peers.map(({ identity }) => identity?.subject),
    ['u_7', undefined],
  )
  for (const { connectionId } of peers) assert.match(connectionId, /^i1\/\d+$/)
  assert.notEqual(peers[0]?.connectionId, peers[1]?.connectionId)
  known.disconnect()
  mute.disconnect()
  assert.equal(sessions.size, 1)
})

test('the handshake of the carrier is a part of the time for all of it', async () => {
  const { clock, sessions } = bench()
  const pipe = memoryPipe()
  sessions.add(Object.assign(pipe, { setupMs: defaultLimits.handshakeMs - 1_000 }))
  await clock.advance(999)
  assert.equal(pipe.state, 'open')
  await clock.advance(1)
  assert.match(told(pipe), /no handshake within 5000 ms/)
})

test('a drain ends when the last call has ended, and tells the peers at once', async () => {
  const answers: (() => void)[] = []
  const { clock, sessions, join } = bench(() => new Promise<void>((done) => answers.push(done)))
  const [one, other] = [await join(), await join()]
  call(one, 1)
  call(other, 1)
  call(other, 2)
  told(one)
  const draining = sessions.drain()
  const seen = watch(draining)
  assert.equal(one.writes.length, 0)
  one.turn()
  assert.equal(one.writes[0]?.[4], frameType.goAway)
  for (const pipe of [one, other]) pong(pipe)
  for (const answer of answers) {
    await clock.advance(0)
    assert.equal(seen.done, false)
    answer()
  }
  await draining
  call(one, 2)
  assert.match(told(one), /DRAINING.*instance i1 is stopping/)
  assert.equal(sessions.size, 2, 'connections stay until they are closed')
})

test('a set without sessions has drained at once', async () => {
  const { sessions, join } = bench()
  await sessions.drain()
  await join()
})

test('a drain ends when every peer has read of it: a call on its way is still told that it was not run', async () => {
  const { clock, sessions, join } = bench()
  const [one, other] = [await join(), await join()]
  const seen = watch(sessions.drain())
  pong(one)
  await clock.advance(100)
  call(other, 1)
  assert.match(told(other), /DRAINING/)
  assert.equal(seen.done, false)
  pong(other)
  await clock.advance(0)
  assert.equal(seen.done, true)
})

test('a stream of inputs on its way is served, for its source was asked; until the peer has read of the drain', async () => {
  const begun: string[] = []
  const { clock, sessions, join } = bench(async ({ method }) => void begun.push(method.path))
  const pipe = await join()
  const seen = watch(sessions.drain())
  call(pipe, 1, 2)
  await clock.advance(0)
  assert.doesNotMatch(told(pipe), /DRAINING/)
  pong(pipe)
  await clock.advance(0)
  assert.equal(seen.done, true)
  call(pipe, 2, 2)
  assert.match(told(pipe), /DRAINING/)
  assert.deepEqual(begun, ['t.sum'])
})

test('the answer to an earlier ping does not count as having read of the drain', async () => {
  const { clock, sessions, join } = bench()
  const pipe = await join()
  await clock.advance(1.3 * defaultLimits.pingMs)
  const seen = watch(sessions.drain())
  pong(pipe)
  await clock.advance(0)
  assert.equal(seen.done, false)
  pong(pipe)
  await clock.advance(0)
  assert.equal(seen.done, true)
})

test('a peer that says nothing holds a drain no longer than it takes to count as gone', async () => {
  const { clock, sessions, join } = bench()
  await join()
  const seen = watch(sessions.drain())
  await clock.advance(defaultLimits.silenceMs - 500)
  assert.equal(seen.done, false)
  await clock.advance(500)
  assert.equal(seen.done, true)
})

test('a peer that goes during a drain is waited for no longer', async () => {
  const { clock, sessions, join } = bench()
  const pipe = await join()
  const seen = watch(sessions.drain())
  pipe.disconnect()
  await clock.advance(0)
  assert.deepEqual([seen.done, clock.waiting], [true, 0])
})

test('streams have no end to wait for: a drain ends them', async () => {
  const { sessions, join } = bench(async () =>
    (async function* () {
      await new Promise<never>(() => {})
      yield 1
    })(),
  )
  const pipe = await join()
  call(pipe, 1, 1)
  const draining = sessions.drain()
  pong(pipe)
  await draining
  assert.match(told(pipe), /CONNECTION_LOST.*open the stream again/)
})

test('a drain is given up when its signal aborts, before or meanwhile', async () => {
  const { clock, sessions, join } = bench(() => new Promise(() => {}))
  call(await join(), 1)
  await sessions.drain(AbortSignal.abort())
  const abort = new AbortController()
  const draining = sessions.drain(abort.signal)
  const seen = watch(draining)
  await clock.advance(0)
  assert.equal(seen.done, false)
  abort.abort()
  await draining
})

test('a call whose peer goes away is waited for no more', async () => {
  const { clock, sessions, join } = bench(() => new Promise(() => {}))
  const pipe = await join()
  call(pipe, 1)
  const draining = sessions.drain()
  const seen = watch(draining)
  await clock.advance(0)
  assert.equal(seen.done, false)
  pipe.disconnect()
  await draining
})

test('who comes while it drains is told so and sent away', async () => {
  const { sessions, join, clock } = bench()
  await sessions.drain()
  const late = await join()
  assert.match(told(late), /DRAINING.*instance i1 is stopping/)
  assert.equal(late.state, 'ended')
  await clock.advance(0)
  assert.equal(sessions.size, 0)
})

test('peers can be cut off by who they are; they are told why', async () => {
  const { sessions, join, clock } = bench(() => new Promise(() => {}))
  const [out, stays, nobody] = [await join('u_7'), await join('u_8'), await join()]
  const mute = memoryPipe()
  sessions.add(mute)
  for (const pipe of [out, stays, nobody]) told(pipe)
  const reason = new CoveyError('UNAUTHENTICATED', 'logged out')
  sessions.disconnect(({ identity }) => identity?.subject === 'u_7', reason)
  assert.match(told(out), /UNAUTHENTICATED.*logged out/)
  for (const pipe of [stays, nobody, mute]) assert.equal(told(pipe), '')
  await clock.advance(0)
  assert.deepEqual([out.state, stays.state, sessions.size], ['ended', 'open', 3])
})

test('closing ends all sessions and their calls, and waits until they are gone', async () => {
  const reasons: string[] = []
  const { sessions, join, clock } = bench(
    (served) => new Promise(() => served.onCancel(({ message }) => reasons.push(message))),
  )
  const [one, other] = [await join(), await join()]
  call(one, 1)
  call(other, 1)
  // Its peer takes nothing any more, so that it is cut off after `connectMs`.
  other.end = () => {}
  const closing = sessions.close()
  const seen = watch(closing)
  await clock.advance(0)
  assert.deepEqual([seen.done, sessions.size], [false, 1])
  await clock.advance(1_000)
  await closing
  assert.deepEqual([sessions.size, other.state], [0, 'destroyed'])
  assert.deepEqual(reasons, ['the server stopped', 'the server stopped'])
  assert.equal(clock.waiting, 0)
})

test('a newcomer takes the place of the one that was silent for longest, and of nobody else', async () => {
  const { clock, sessions, join } = bench(undefined, { maxHandshakes: 3 })
  const strangers = [memoryPipe(), memoryPipe(), memoryPipe()]
  for (const pipe of strangers) {
    sessions.add(pipe)
    await clock.advance(10)
  }
  const early = memoryPipe()
  sessions.add(early)
  assert.match(told(early), /RESOURCE_EXHAUSTED.*3 connections are shaking hands/)
  await clock.advance(480)
  const late = await join()
  assert.match(told(late), /"instance":"i1"/)
  assert.match(told(strangers[0]!), /RESOURCE_EXHAUSTED/)
  assert.equal(told(strangers[1]!) + told(strangers[2]!), '')
  // Who is in takes no place any more.
  assert.match(told(await join()), /"instance":"i1"/)
  assert.match(told(await join()), /"instance":"i1"/)
  await sessions.close()
})

test('who waits for the decision of this side keeps its place', async () => {
  const decided = Promise.withResolvers<undefined>()
  const clock = new FakeClock()
  const sessions = new SessionSet(
    { instance: 'i1', methods: [], serve: async () => undefined },
    {
      limits: { ...defaultLimits, maxHandshakes: 1 },
      clock,
      authenticate: () => decided.promise,
    },
  )
  const waiting = memoryPipe()
  sessions.add(waiting)
  const wishes = { covey: 1, codecs: ['json'], maxFrameBytes: 65_536, streamWindowBytes: 65_536 }
  waiting.receive(frame(frameType.hello, 0, (out) => out.text(JSON.stringify(wishes))))
  await clock.advance(2_000)
  const newcomer = memoryPipe()
  sessions.add(newcomer)
  assert.match(told(newcomer), /RESOURCE_EXHAUSTED/)
  decided.resolve(undefined)
  await clock.advance(0)
  assert.match(told(waiting), /"instance":"i1"/)
  await sessions.close()
})

test('one address that has more than half of the places gives them up to others, quick or not', async () => {
  const { clock, sessions } = bench(undefined, { maxHandshakes: 4 })
  const from = (address: string) => {
    const pipe = Object.assign(memoryPipe(), { address })
    sessions.add(pipe)
    return pipe
  }
  const crowd = [1, 2, 3, 4, 5].map((port) => from(`192.0.2.9:${port}`))
  const others = [from('192.0.2.1:1'), from('[2001:db8::1]:1'), from('192.0.2.3:1')]
  await clock.advance(0)
  const states = (pipes: MemoryPipe[]) => pipes.map(({ state }) => state)
  // The fifth found no place. Two are kept, and the third of the others comes too late for them.
  assert.deepEqual(states(crowd), ['ended', 'ended', 'open', 'open', 'ended'])
  assert.deepEqual(states(others), ['open', 'open', 'ended'])
  await clock.advance(500)
  // Now all are slow, nobody has more than half, and the oldest goes.
  from('192.0.2.9:6')
  await clock.advance(0)
  assert.deepEqual(states(crowd), ['ended', 'ended', 'ended', 'open', 'ended'])
  assert.deepEqual(states(others), ['open', 'open', 'ended'])
  await sessions.close()
})

test('the places of an address are counted until its handshakes are done, or given up', async () => {
  const { clock, sessions, join } = bench(undefined, { maxHandshakes: 2 })
  for (let round = 0; round < 3; round++) await join()
  const left = memoryPipe()
  sessions.add(left)
  left.disconnect()
  const one = Object.assign(memoryPipe(), { address: '192.0.2.1:1' })
  const own = memoryPipe()
  for (const pipe of [own, one]) sessions.add(pipe)
  const third = Object.assign(memoryPipe(), { address: '192.0.2.2:1' })
  sessions.add(third)
  await clock.advance(0)
  assert.deepEqual([own.state, one.state, third.state], ['open', 'open', 'ended'])
  await sessions.close()
})
