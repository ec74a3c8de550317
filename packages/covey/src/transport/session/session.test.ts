import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { ask, fourMethods, items } from '../../testing/four-kinds.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { mutate } from '../../testing/mutate.ts'
import { seededRandom } from '../../testing/random.ts'
import {
  type ClientEndOptions,
  callFrame,
  clientEnd,
  frameOf,
  framesOf,
  helloFrame,
  jsonFrame,
  saidBy,
  serverEnd,
  settled,
  valueFrame,
} from '../../testing/session-ends.ts'
import { defaultLimits } from '../limits.ts'
import { writeCallHead } from './call-head.ts'
import { ClientSession } from './client-session.ts'

const connected = (options?: ClientEndOptions) => clientEnd(fourMethods, options)

function outcome(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (value) => JSON.stringify(value),
    (error: CoveyError) => error.code,
  )
}

test('calls of one turn leave in one write', async () => {
  const { pipe, session } = await connected()
  for (let n = 0; n < 100; n++) session.invoke(new Call(ask, { n })).catch(() => {})
  pipe.turn()
  assert.equal(pipe.writes.length, 1)
  assert.equal(saidBy(pipe).length, 100)
  await session.close()
})

test('a call that never left is told as not run, one that left as maybe run', async () => {
  const { pipe, session } = await connected()
  const left = outcome(session.invoke(new Call(ask, 1)))
  pipe.turn()
  const kept = outcome(session.invoke(new Call(ask, 2)))
  pipe.disconnect()
  assert.deepEqual(await Promise.all([left, kept]), ['CONNECTION_LOST', 'UNAVAILABLE'])
  assert.equal(await outcome(session.invoke(new Call(ask, 3))), 'UNAVAILABLE')
})

test('answers reach their own call in any order; a late one is dropped', async () => {
  const { pipe, session } = await connected()
  const calls = [1, 2, 3].map((n) => new Call(ask, n))
  const results = calls.map((call) => outcome(session.invoke(call)))
  const ids = saidBy(pipe).map(([, id]) => id)
  calls[1]!.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.deepEqual(saidBy(pipe), [['cancel', ids[1], { code: 'CANCELLED', message: 'enough' }]])
  for (const id of ids.toReversed()) {
    pipe.receive(valueFrame(frameType.result, id, `for ${id}`))
  }
  assert.deepEqual(await Promise.all(results), [`"for ${ids[0]}"`, 'CANCELLED', `"for ${ids[2]}"`])
  assert.equal(session.pending, 0)
})

test('an answer to a call that was never made closes the connection', async () => {
  const { pipe, session } = await connected()
  const call = outcome(session.invoke(new Call(ask, 1)))
  saidBy(pipe)
  pipe.receive(valueFrame(frameType.result, 77, 'for somebody'))
  assert.equal(await call, 'PROTOCOL_ERROR')
  assert.equal(session.state, 'closed')
})

test('a silent peer is asked, then given up', async () => {
  const { pipe, session, clock } = await connected()
  const call = outcome(session.invoke(new Call(ask, 1)))
  saidBy(pipe)
  await clock.advance(1_300)
  assert.deepEqual(saidBy(pipe), [['ping', 0]])
  pipe.receive(frameOf(frameType.pong, 0))
  await clock.advance(2_900)
  assert.equal(await Promise.race([call, 'waits']), 'waits')
  await clock.advance(400)
  assert.equal(await call, 'CONNECTION_LOST')
  assert.equal(pipe.state, 'destroyed')
})

test('after a stall of its own a session reads before it judges', async () => {
  const clock = new FakeClock()
  const stalled = Object.assign(Object.create(clock) as FakeClock, {
    monotonicMs: () => clock.monotonicMs() + stallMs,
    after: clock.after.bind(clock),
    every: clock.every.bind(clock),
  })
  let stallMs = 0
  const { session } = await connected({ clock: stalled })
  stallMs = 60_000
  await clock.advance(1_000)
  assert.equal(session.state, 'open')
  await session.close()
})

test('a peer that answers nothing in time is no server', async () => {
  const clock = new FakeClock()
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock })
  const ready = outcome(session.handshake())
  await clock.advance(5_100)
  assert.equal(await ready, 'UNAVAILABLE')
  assert.equal(pipe.state, 'destroyed')
})

test('a server that wants no more calls gets none; those in flight end', async () => {
  const { pipe, session } = await connected()
  const running = outcome(session.invoke(new Call(ask, 1)))
  const [sent] = framesOf(pipe)
  pipe.receive(frameOf(frameType.goAway, 0))
  assert.equal(session.state, 'draining')
  assert.equal(await outcome(session.invoke(new Call(ask, 2))), 'DRAINING')
  pipe.receive(valueFrame(frameType.result, sent!.id, 'done'))
  assert.equal(await running, '"done"')
})

test('a stream beyond what was granted closes the connection', async () => {
  const limits = { streamWindowBytes: 1024, maxFrameBytes: 64 * 1024 }
  const { pipe, session } = await connected({ limits })
  await session.invoke(new Call(items, undefined))
  const [sent] = framesOf(pipe)
  const item = valueFrame(frameType.item, sent!.id, 'x'.repeat(30_000))
  for (let count = 0; count < 4; count++) pipe.receive(item)
  assert.equal(session.state, 'closed')
})

const echo = async ({ input }: Call) => input

test('a peer that goes away has its calls cancelled', async () => {
  const reasons: string[] = []
  const { pipe, closed } = await serverEnd(
    fourMethods,
    (served) =>
      new Promise((_, reject) => {
        served.onCancel((reason) => {
          reasons.push(reason.code)
          reject(reason)
        })
      }),
  )
  pipe.receive(callFrame(1, 0, 'x'))
  pipe.receive(callFrame(2, 0, 'y'))
  pipe.disconnect()
  assert.deepEqual(reasons, ['CANCELLED', 'CANCELLED'])
  assert.deepEqual(closed, ['CONNECTION_LOST'])
})

test('calls that are read behind a stall begin when all of it was read, each time', async () => {
  const begun: unknown[] = []
  const { pipe, clock } = await serverEnd(fourMethods, async ({ input }) => begun.push(input))
  for (const [id, input] of ['first', 'second'].entries()) {
    await clock.advance(500)
    pipe.receive(
      Buffer.concat([callFrame(2 * id + 2, 0, 'given up'), callFrame(2 * id + 1, 0, input)]),
    )
    pipe.receive(frameOf(frameType.cancel, 2 * id + 2))
    assert.equal(begun.length, id)
    pipe.turn()
    assert.equal(begun.length, id + 1)
  }
  assert.deepEqual(begun, ['first', 'second'])
})

test('a peer that does not take its answers is read no more until it does', async () => {
  const { pipe } = await serverEnd(fourMethods, echo)
  pipe.unsentBytes = 2 * 1024 * 1024
  pipe.receive(callFrame(1, 0, 'x'))
  assert.equal(pipe.paused, true)
  pipe.drain()
  assert.equal(pipe.paused, false)
})

test('a client that prefers JSON is answered in JSON', async () => {
  const { pipe } = await serverEnd(fourMethods, echo, { greeted: false })
  const wishes = { covey: 1, codecs: ['cbor', 'json', 'msgpack'] }
  pipe.receive(
    jsonFrame(frameType.hello, { ...wishes, maxFrameBytes: 4096, streamWindowBytes: 4096 }),
  )
  await settled()
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.pop()), /"codec":"json"/)
  pipe.receive(
    frameOf(frameType.call, 1, (out) => {
      writeCallHead({ method: 0, timeoutMs: 1_000, trace: undefined, metadata: new Map() }, out)
      out.text('{"n":[1,null,"ü"]}')
    }),
  )
  await settled()
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.pop()), /\{"n":\[1,null,"ü"\]\}$/)
})

test('a table of methods that is longer than the client takes is told, and harms nobody', async () => {
  const many = Array.from({ length: 5_000 }, (_, n) => ({ ...ask, path: `t.method${n}` }))
  for (const [maxFrameBytes, expected] of [
    [1 << 20, '"t.method4999"'],
    [4_096, 'MESSAGE_TOO_LARGE'],
  ] as const) {
    const { pipe } = await serverEnd(many, echo, { greeted: false })
    const wishes = { covey: 1, codecs: ['msgpack'], streamWindowBytes: 4_096, maxFrameBytes }
    pipe.receive(jsonFrame(frameType.hello, wishes))
    await settled()
    pipe.turn()
    assert.ok(new TextDecoder().decode(pipe.writes.at(-1)).includes(expected), expected)
  }
})

test('who comes while the server stops is told so', async () => {
  const { pipe, session } = await serverEnd(fourMethods, echo, { greeted: false })
  session.drain()
  pipe.receive(helloFrame)
  pipe.turn()
  assert.match(new TextDecoder().decode(pipe.writes.at(-1)), /DRAINING/)
})

test('other versions and clients without a common codec are told why', async () => {
  for (const [said, expected] of [
    [{ covey: 9, codecs: ['msgpack'] }, /protocol version 9; this side speaks 1 to 2/],
    [
      { covey: 1, codecs: ['bson'], maxFrameBytes: 4096, streamWindowBytes: 4096 },
      /no common codec/,
    ],
    [{ covey: 1, codecs: 'msgpack' }, /codecs is not a list/],
  ] as const) {
    const { pipe, closed } = await serverEnd(fourMethods, echo, { greeted: false })
    pipe.receive(jsonFrame(frameType.hello, said))
    assert.equal(closed[0], 'PROTOCOL_ERROR')
    const text = new TextDecoder().decode(pipe.writes.at(-1))
    assert.match(text, expected)
  }
})

test('50,000 damaged conversations: no answer to the wrong call, nothing left running', async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const good = Buffer.concat([
    helloFrame,
    callFrame(1, 0, { n: 1 }),
    callFrame(2, 0, [1, 2, 3]),
    callFrame(3, 0, 'text'),
  ])
  for (let round = 0; round < 50_000; round++) {
    const { pipe, session, closed } = await serverEnd(fourMethods, echo, { greeted: false })
    try {
      pipe.receive(mutate(good, random))
      pipe.turn()
      if (round % 100 === 0) await settled()
      pipe.disconnect()
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${round}`, { cause })
    }
    assert.equal(session.running, 0)
    assert.equal(closed.length, 1)
  }
})
