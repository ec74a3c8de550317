import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { fourMethods } from '../../testing/four-kinds.ts'
import { callFrame, frameOf, saidBy, serverEnd, settled } from '../../testing/session-ends.ts'

const { cancel } = frameType

/** Calls whose handlers end when the test says so, cancelled or not. */
async function bench(limits: { maxCallsPerConnection?: number; maxEarlyCancels?: number }) {
  const gates: PromiseWithResolvers<unknown>[] = []
  const serve = async (call: Call) => {
    const gate = Promise.withResolvers<unknown>()
    gates.push(gate)
    const result = await gate.promise
    return call.method.kind === 'serverStream' ? endless() : result
  }
  // The client of these tests answers no pings.
  const patient = { pingMs: 1e9, silenceMs: 1e9, idlePingMs: 1e9 }
  const end = await serverEnd(fourMethods, serve, { limits: { ...patient, ...limits } })
  const { pipe } = end
  /** What is answered to each of these frames' calls: the code of its error, its result, or nothing. */
  const say = async (...frames: Uint8Array[]) => {
    for (const frame of frames) pipe.receive(frame)
    await settled(2)
    return Object.fromEntries(
      saidBy(pipe).map(([, id, value]) => [id, (value as { code?: string })?.code ?? value]),
    )
  }
  const giveUp = (id: number) => frameOf(cancel, id)
  return { ...end, gates, say, giveUp }
}

async function* endless() {
  yield 1
  await new Promise(() => {})
}

test('a call that was given up keeps its place as long as its handler is at work', async () => {
  const { say, giveUp, gates, session, clock } = await bench({ maxCallsPerConnection: 3 })
  await say(callFrame(1, 0), callFrame(2, 0), callFrame(3, 0))
  // However long they ran.
  await clock.advance(500)
  assert.deepEqual(await say(giveUp(1), giveUp(2)), { 1: 'CANCELLED', 2: 'CANCELLED' })
  assert.equal(session.running, 1)
  assert.deepEqual(await say(callFrame(4, 0)), { 4: 'RESOURCE_EXHAUSTED' })
  gates[0]?.resolve('late')
  gates[1]?.reject(new Error('late'))
  assert.deepEqual(await say(), {})
  assert.deepEqual(await say(callFrame(5, 0), callFrame(6, 0), callFrame(7, 0)), {
    7: 'RESOURCE_EXHAUSTED',
  })
  for (const gate of gates) gate.resolve('done')
  assert.deepEqual(await say(), { 3: 'done', 5: 'done', 6: 'done' })
  assert.deepEqual(await say(callFrame(8, 0), callFrame(9, 0), callFrame(10, 0)), {})
})

test('the message says where the places are', async () => {
  const { say, giveUp, pipe } = await bench({ maxCallsPerConnection: 2 })
  await say(callFrame(1, 0), callFrame(2, 0), giveUp(1))
  pipe.receive(callFrame(3, 0))
  const [[, , error] = []] = saidBy(pipe)
  assert.equal(
    (error as Error).message,
    '2 calls are in flight on this connection, 1 of them given up, but still at work',
  )
})

test('a handler that hangs takes a place for ten seconds, or twice that', async () => {
  const { say, giveUp, gates, clock } = await bench({ maxCallsPerConnection: 2 })
  await say(callFrame(1, 0), callFrame(2, 0), giveUp(1), giveUp(2))
  assert.deepEqual(await say(callFrame(3, 0)), { 3: 'RESOURCE_EXHAUSTED' })
  await clock.advance(9_999)
  assert.deepEqual(await say(callFrame(3, 0)), { 3: 'RESOURCE_EXHAUSTED' })
  await clock.advance(10_002)
  // In a turn behind silence calls wait whether their cancels follow: one of those was never begun.
  await say(callFrame(2, 0), giveUp(2))
  await say(callFrame(3, 0))
  await say(giveUp(3))
  // Those of long ago end after all, and give nothing back twice.
  gates[0]?.resolve(1)
  gates[1]?.resolve(1)
  assert.deepEqual(await say(callFrame(4, 0), callFrame(5, 0)), { 5: 'RESOURCE_EXHAUSTED' })
})

test('a stream that is open needs no handler any more', async () => {
  const { say, giveUp, gates } = await bench({ maxCallsPerConnection: 1 })
  await say(callFrame(1, 1))
  gates[0]?.resolve(undefined)
  await say()
  await say(giveUp(1))
  assert.deepEqual(await say(callFrame(2, 0)), {})
})

test('calls of who gives up all it opens are put off, and those given up meanwhile are never begun', async () => {
  const { say, giveUp, gates, session, closed, clock, pipe } = await bench({ maxEarlyCancels: 20 })
  const pair = (id: number) => Buffer.concat([callFrame(id, 0), giveUp(id)])
  for (let id = 1; id <= 1_000; id++) pipe.receive(pair(id))
  await say()
  assert.equal(gates.length, 20)
  // Without waiting for each other, in any order.
  for (let id = 1_001; id <= 2_000; id++) pipe.receive(callFrame(id, 0))
  await clock.advance(99)
  for (let id = 2_000; id >= 1_001; id--) pipe.receive(giveUp(id))
  await clock.advance(1_000)
  assert.equal(gates.length, 20)
  assert.deepEqual([closed, session.running], [[], 0])
})

test('who goes on by the thousand all the same is closed, with a word', async () => {
  const { say, giveUp, gates, closed, pipe } = await bench({ maxEarlyCancels: 20 })
  let id = 0
  const pair = () => {
    id += 1
    return Buffer.concat([callFrame(id, 0), giveUp(id)])
  }
  while (id < 20 + 100 * 20) pipe.receive(pair())
  await say()
  assert.deepEqual([gates.length, closed], [20, []])
  pipe.receive(pair())
  const said = saidBy(pipe).slice(-2)
  assert.deepEqual(said[0], ['goAway', 0])
  assert.match(String(said[1]?.[2]), /RESOURCE_EXHAUSTED.*more than 20 calls.*went on/)
  assert.deepEqual(closed, ['RESOURCE_EXHAUSTED'])
})

test('a call that is waited for is begun a little later, and then the next ones come at once', async () => {
  const { say, giveUp, gates, clock, pipe } = await bench({ maxEarlyCancels: 20 })
  for (let id = 1; id <= 20; id++) pipe.receive(Buffer.concat([callFrame(id, 0), giveUp(id)]))
  await say(callFrame(100, 0))
  await clock.advance(99)
  assert.equal(gates.length, 20)
  await clock.advance(1)
  assert.equal(gates.length, 21)
  gates[20]?.resolve('wanted')
  assert.deepEqual(await say(), { 100: 'wanted' })
  await say(callFrame(101, 0), callFrame(102, 0))
  assert.equal(gates.length, 23)
})

test('the end of a connection ends what is put off', async () => {
  const { say, giveUp, gates, clock, pipe, session } = await bench({ maxEarlyCancels: 1 })
  await say(callFrame(1, 0), giveUp(1), callFrame(2, 0))
  assert.equal(session.running, 1)
  pipe.disconnect()
  await clock.advance(1_000)
  assert.deepEqual([gates.length, session.running, clock.waiting], [1, 0, 0])
})
