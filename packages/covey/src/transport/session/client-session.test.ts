import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { ask, fourMethods } from '../../testing/four-kinds.ts'
import { memoryPipe } from '../../testing/memory-pipe.ts'
import { frameOf, valueFrame, welcomeFrame } from '../../testing/session-ends.ts'
import { defaultLimits } from '../limits.ts'
import type { ConnectOptions } from '../transport.ts'
import { ClientSession } from './client-session.ts'

function bench(options: Partial<ConnectOptions> = {}) {
  const clock = new FakeClock()
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock, ...options })
  const ready = session.handshake()
  pipe.turn()
  const greet = () => pipe.receive(welcomeFrame(fourMethods, { instance: 'i7' }))
  const answer = (id: number, value: unknown) =>
    pipe.receive(valueFrame(frameType.result, id, value))
  return { clock, pipe, session, ready, greet, answer }
}

test('an answer that comes late, or twice, is dropped and counted, and no other call gets it', async () => {
  const { session, ready, greet, answer } = bench()
  greet()
  await ready
  const given = new Call(ask, undefined)
  const late = session.invoke(given)
  const other = session.invoke(new Call(ask, undefined))
  given.cancel(new CoveyError('DEADLINE_EXCEEDED', 'its time is over'))
  await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' })
  assert.deepEqual([session.pending, session.lateAnswers], [1, 0])
  answer(1, 'late')
  assert.deepEqual([session.pending, session.lateAnswers], [1, 1])
  answer(2, 'right')
  assert.equal(await other, 'right')
  answer(2, 'again')
  assert.deepEqual([session.pending, session.lateAnswers, session.state], [0, 2, 'open'])
  await session.close()
})

test('an error that comes late counts as well, but for the answer to a cancel', async () => {
  let told = 0
  const onLateAnswer = () => {
    told += 1
  }
  const { pipe, session, ready, greet } = bench({ onLateAnswer })
  greet()
  await ready
  const fail = (id: number, value: unknown) => pipe.receive(valueFrame(frameType.error, id, value))
  const calls = [1, 2, 3, 4].map(() => new Call(ask, undefined))
  const results = calls.map((call) => session.invoke(call))
  for (const call of calls) call.cancel(new CoveyError('CANCELLED', 'enough'))
  await Promise.allSettled(results)
  fail(1, { code: 'CANCELLED', message: 'enough' })
  fail(2, { code: 'DEADLINE_EXCEEDED', message: 'its time was used up' })
  fail(3, 'nonsense')
  pipe.receive(frameOf(frameType.error, 3, (out) => out.u8(0xc1)))
  assert.deepEqual([told, session.lateAnswers], [0, 0])
  fail(4, { code: 'NOT_FOUND', message: 'no user 7' })
  assert.deepEqual([told, session.lateAnswers, session.state], [1, 1, 'open'])
  await session.close()
})

test('the answer to a cancel with a code of its own is not late either', async () => {
  const { pipe, session, ready, greet } = bench()
  greet()
  await ready
  const given = new Call(ask, undefined)
  const result = session.invoke(given)
  given.cancel(new CoveyError('ABORTED', 'the source failed'))
  await assert.rejects(result, { code: 'ABORTED' })
  const answer = { code: 'ABORTED', message: 'the source failed' }
  pipe.receive(valueFrame(frameType.error, 1, answer))
  assert.equal(session.lateAnswers, 0)
  for (let n = 0; n < 200; n++) {
    const call = new Call(ask, undefined)
    const abandoned = session.invoke(call)
    call.cancel(new CoveyError(`OWN_${n}`, 'mine'))
    await assert.rejects(abandoned)
  }
  pipe.receive(valueFrame(frameType.error, 100, { code: 'OWN_98', message: 'mine' }))
  assert.equal(session.lateAnswers, 0)
  await session.close()
})

test('an error that is none fails its call as what it is', async () => {
  const { pipe, session, ready, greet } = bench()
  greet()
  await ready
  const odd = [undefined, null, 'nonsense', {}, { code: 'X' }, { code: 7, message: 'm' }, []]
  for (const [index, value] of odd.entries()) {
    const result = session.invoke(new Call(ask, undefined))
    pipe.receive(valueFrame(frameType.error, index + 1, value))
    const error = (await result.catch((thrown: unknown) => thrown)) as CoveyError
    assert.equal(error.code, 'PROTOCOL_ERROR', JSON.stringify(value))
    assert.match(error.message, /malformed/)
    assert.equal(error.remote, true)
  }
  assert.deepEqual([session.state, session.pending], ['open', 0])
  await session.close()
})

test('another instance than the one that is meant is left at once', async () => {
  const right = bench({ instance: 'i7' })
  right.greet()
  await right.ready
  assert.equal(right.session.instance, 'i7')
  await right.session.close()
  const wrong = bench({ instance: 'i6' })
  wrong.greet()
  await assert.rejects(wrong.ready, {
    code: 'UNAVAILABLE',
    message: 'expected instance i6, found i7',
  })
  assert.deepEqual([wrong.session.state, wrong.pipe.state], ['closed', 'destroyed'])
})

test('a handshake that fails leaves no connection behind', async () => {
  const { pipe, ready } = bench()
  pipe.receive(welcomeFrame(fourMethods, { codec: 'none' }))
  await assert.rejects(ready, { code: 'PROTOCOL_ERROR', message: /unknown codec "none"/ })
  assert.equal(pipe.state, 'destroyed')
})

test('the end of new calls is told once', async () => {
  let told = 0
  const { pipe, session, ready, greet } = bench({ onDraining: () => void told++ })
  greet()
  await ready
  for (const _ of [1, 2]) pipe.receive(frameOf(frameType.goAway, 0))
  assert.deepEqual([told, session.state], [1, 'draining'])
  await session.close()
})

test('a handshake that takes too long is ended, but not one whose answer waits to be read', async () => {
  const silent = bench()
  const failed = assert.rejects(silent.ready, { message: /no handshake within 5000 ms/ })
  await silent.clock.advance(5_000)
  await failed
  const held = bench()
  // Behind the timer that is over, as an event loop orders them.
  held.clock.after(5_000, held.greet)
  await held.clock.advance(5_000)
  await held.ready
  await held.session.close()
})

test('a server that stands still with calls is told apart, until it is heard; it still takes calls', async () => {
  const told: string[] = []
  const made: ReturnType<typeof bench> = bench({
    onStalled: () => told.push(`${made.session.state} ${made.session.stalledMs}`),
  })
  const { clock, session, ready, greet, answer } = made
  greet()
  await ready
  await clock.advance(300)
  assert.deepEqual([session.state, told], ['open', []])
  const result = session.invoke(new Call(ask, undefined))
  await clock.advance(1_000)
  assert.match(told[0]!, /^stalled [89]\d\d$/)
  const next = session.invoke(new Call(ask, undefined))
  assert.deepEqual([session.state, session.pending], ['stalled', 2])
  answer(1, 'late')
  assert.deepEqual([session.state, told.slice(1)], ['open', ['open undefined']])
  assert.equal(await result, 'late')
  answer(2, 'later')
  assert.equal(await next, 'later')
  await session.close()
})

test('a probe is answered when the server answers, whatever else it says before', async () => {
  const { pipe, session, ready, greet, answer } = bench()
  greet()
  await ready
  const result = session.invoke(new Call(ask, undefined))
  let answered = false
  void session.probe().then(() => {
    answered = true
  })
  answer(1, 'x')
  await result
  assert.equal(answered, false)
  pipe.receive(frameOf(frameType.pong, 0))
  await Promise.resolve()
  assert.equal(answered, true)
  await session.close()
})
