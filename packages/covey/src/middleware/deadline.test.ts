import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { duplex, serverStream, unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { deadline } from './deadline.ts'

const { methods } = defineContract('t', { ask: unary(), items: serverStream(), talk: duplex() })

function bench(handler: Handler, deadlineMs: number, method = methods.ask as Call['method']) {
  const clock = new FakeClock()
  const wheel = new TimerWheel(clock)
  const call = new Call(method, undefined, { clock, deadlineMs })
  return { clock, wheel, call, run: () => deadline(wheel)(handler)(call) }
}

/** Hangs until the call is cancelled, as a transport does. */
const hang: Handler = (call) => new Promise((_, reject) => call.onCancel(reject))

test('a call that is over is not begun', async () => {
  let begun = 0
  const handler: Handler = async () => {
    begun += 1
  }
  for (const deadlineMs of [0, -5]) {
    const { run } = bench(handler, deadlineMs)
    await assert.rejects(run(), {
      code: 'DEADLINE_EXCEEDED',
      message: 't.ask: its time was used up before it began',
    })
  }
  assert.equal(begun, 0)
})

test('who stands still is named when the time of a call is over', async () => {
  const { clock, call, run } = bench(hang, 500)
  const describe = () => 'a: stalled: nothing heard for 812 ms'
  call.sentTo = { instance: { id: 'a' }, stalled: true, describe }
  const failed = assert.rejects(run(), {
    message: 't.ask: its time was used up while it ran; a: stalled: nothing heard for 812 ms',
  })
  await clock.advance(520)
  await failed
})

test('of several attempts the latest that went to somebody is named', async () => {
  const { clock, call, run } = bench(hang, 500)
  const describe = () => 'b: stalled: nothing heard for 812 ms'
  call.sentTo = { instance: { id: 'a' } }
  const second = call.again(call, 2)
  second.sentTo = { instance: { id: 'b' }, stalled: true, describe }
  call.again(second, 3)
  const failed = assert.rejects(run(), {
    message: 't.ask: its time was used up while it ran; b: stalled: nothing heard for 812 ms',
  })
  await clock.advance(520)
  await failed
})

test('a call that runs into its deadline is cancelled, not before', async () => {
  const { clock, wheel, call, run } = bench(hang, 500)
  const result = run()
  result.catch(() => {})
  await clock.advance(490)
  assert.equal(call.cancelled, undefined)
  await clock.advance(30)
  await assert.rejects(result, {
    code: 'DEADLINE_EXCEEDED',
    message: 't.ask: its time was used up while it ran',
  })
  assert.equal(call.signal.reason, call.cancelled)
  assert.equal(wheel.size, 0)
})

test('a call that is done leaves nothing in the wheel, whatever came of it', async () => {
  const good = bench(async () => 'done', 500)
  assert.equal(await good.run(), 'done')
  const bad = bench(async () => {
    throw new CoveyError('NOT_FOUND', 'gone')
  }, 500)
  await assert.rejects(bad.run(), { code: 'NOT_FOUND' })
  for (const { clock, wheel, call } of [good, bad]) {
    assert.equal(wheel.size, 0)
    await clock.advance(1_000)
    assert.equal(call.cancelled, undefined)
  }
})

test('a cancelled call whose handler goes on leaves nothing in the wheel', () => {
  const { wheel, call, run } = bench(() => new Promise(() => {}), 500)
  void run()
  assert.equal(wheel.size, 1)
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.equal(wheel.size, 0)
})

test('a call without a limit costs no entry', () => {
  const { wheel, run } = bench(() => new Promise(() => {}), Number.POSITIVE_INFINITY)
  void run()
  assert.equal(wheel.size, 0)
})

test('an open stream is cancelled at its deadline, long after its promise', async () => {
  const stream = (async function* () {
    yield 1
  })()
  const { clock, wheel, call, run } = bench(async () => stream, 500, methods.items)
  const items = ((await run()) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  assert.deepEqual(await items.next(), { done: false, value: 1 })
  const codes: string[] = []
  call.onCancel(({ code }) => codes.push(code))
  await clock.advance(490)
  assert.deepEqual(codes, [])
  await clock.advance(30)
  assert.deepEqual(codes, ['DEADLINE_EXCEEDED'])
  assert.equal(wheel.size, 0)
})

test('a stream leaves nothing in the wheel once it is at its end, has failed or was left', async () => {
  const good = async () =>
    (async function* () {
      yield 1
      yield 2
    })()
  const failing = async () =>
    (async function* () {
      yield 1
      throw new CoveyError('NOT_FOUND', 'gone')
    })()
  const never = () => Promise.reject(new CoveyError('NOT_FOUND', 'gone'))
  const read = async (handler: Handler, count: number, method: Call['method']) => {
    const { wheel, run } = bench(handler, 500, method)
    let seen = 0
    try {
      for await (const _ of (await run()) as AsyncIterable<unknown>) {
        seen += 1
        assert.equal(wheel.size, 1)
        if (seen === count) break
      }
    } catch (error) {
      assert.equal((error as CoveyError).code, 'NOT_FOUND')
    }
    assert.equal(wheel.size, 0)
    return seen
  }
  for (const method of [methods.items, methods.talk]) {
    assert.equal(await read(good, 9, method), 2)
    assert.equal(await read(good, 1, method), 1)
    assert.equal(await read(failing, 9, method), 1)
    assert.equal(await read(never, 9, method), 0)
  }
})

test('the end of a stream that was left takes its entry along', async () => {
  const { wheel, call, run } = bench(async () => (async function* () {})(), 500, methods.items)
  await run()
  assert.equal(wheel.size, 1)
  call.cancel(new CoveyError('CANCELLED', 'the reader left the stream'))
  assert.equal(wheel.size, 0)
})
