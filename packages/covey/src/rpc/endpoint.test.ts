import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { serverStream, unary } from '../contract/method.ts'
import type { Instance } from '../discovery/registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import type { Connection } from '../transport/transport.ts'
import { Endpoint } from './endpoint.ts'
import { resultContract } from './result-contract.ts'

const { methods } = defineContract('t', { ask: unary(), list: serverStream() })

/** One try to connect, to be settled by the test. */
interface Try {
  readonly instance: Instance
  readonly signal: AbortSignal
  readonly atMs: number
  open(connection?: ScriptedConnection): Promise<ScriptedConnection>
  fail(error: unknown): Promise<void>
}

function bench(random = () => 0.5) {
  const clock = new FakeClock()
  const tries: Try[] = []
  const changes: string[] = []
  const endpoint = new Endpoint(sampleInstance('a'), {
    clock,
    random,
    onChange: () => changes.push(endpoint.state.is),
    connect(instance, signal, events) {
      const { promise, resolve, reject } = Promise.withResolvers<Connection>()
      tries.push({
        instance,
        signal,
        atMs: clock.monotonicMs(),
        async open(connection = new ScriptedConnection()) {
          connection.events = events
          resolve(connection)
          await clock.advance(0)
          return connection
        },
        async fail(error) {
          reject(error)
          await clock.advance(0)
        },
      })
      return promise
    },
  })
  return { clock, tries, changes, endpoint }
}

const refused = new CoveyError('UNAVAILABLE', 'ECONNREFUSED')

test('it connects at once, and takes calls when it is connected', async () => {
  const { tries, changes, endpoint } = bench()
  assert.equal(tries.length, 1)
  assert.equal(tries[0]!.instance.id, 'a')
  assert.equal(endpoint.state.is, 'connecting')
  assert.equal(endpoint.ready, false)
  await assert.rejects(endpoint.invoke(new Call(methods.ask, 1)), { code: 'UNAVAILABLE' })
  const connection = await tries[0]!.open(new ScriptedConnection(async ({ input }) => input))
  assert.deepEqual([endpoint.ready, changes], [true, ['ready']])
  assert.equal(await endpoint.invoke(new Call(methods.ask, 1)), 1)
  assert.equal(connection.calls.length, 1)
})

test('failed tries are repeated with a delay that doubles to 10 s, jittered, for ever', async () => {
  const { clock, tries } = bench(() => 0.5)
  const delays: number[] = []
  for (let count = 0; count < 12; count++) {
    const failedMs = clock.monotonicMs()
    await tries.at(-1)!.fail(refused)
    while (tries.length < count + 2) await clock.advance(50)
    delays.push(tries.at(-1)!.atMs - failedMs)
  }
  assert.deepEqual(
    delays,
    [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000],
  )
})

test('a connection that is lost after a while is opened again, with the delay of a first failure', async () => {
  const { clock, tries, changes, endpoint } = bench(() => 0.5)
  for (let count = 0; count < 4; count++) {
    await tries.at(-1)!.fail(refused)
    await clock.advance(10_000)
  }
  const connection = await tries.at(-1)!.open()
  await clock.advance(10_000)
  connection.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await clock.advance(0)
  assert.equal(endpoint.ready, false)
  assert.equal(changes.at(-1), 'waiting')
  assert.equal(endpoint.describe(), 'a: reset; next try in 50 ms')
  const before = tries.length
  await clock.advance(49)
  assert.equal(tries.length, before)
  await clock.advance(1)
  assert.equal(tries.length, before + 1)
})

test('one that is dropped as soon as it is open counts as a failure: no tight rhythm comes of it', async () => {
  const { clock, tries } = bench(() => 0.5)
  const delays: number[] = []
  for (let count = 0; count < 10; count++) {
    const connection = await tries.at(-1)!.open()
    const aliveMs = count === 9 ? 9_999 : 0
    await clock.advance(aliveMs)
    const lostMs = clock.monotonicMs()
    connection.lose()
    while (tries.length < count + 2) await clock.advance(50)
    delays.push(tries.at(-1)!.atMs - lostMs)
  }
  assert.deepEqual(delays, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
})

test('an answer proves a connection, whatever comes of it later; a failure, a stream or an old answer does not', async () => {
  const { clock, tries, endpoint } = bench(() => 0.5)
  const nextTryMs = async (lost: ScriptedConnection) => {
    lost.lose()
    await clock.advance(0)
    const ms = Number(/next try in (\d+) ms/.exec(endpoint.describe())?.[1])
    await clock.advance(ms)
    return ms
  }
  const drop = async () => nextTryMs(await tries.at(-1)!.open())
  assert.deepEqual([await drop(), await drop()], [50, 100])

  const failing = await tries.at(-1)!.open(
    new ScriptedConnection(async () => {
      throw new CoveyError('NOT_FOUND', 'no user 7')
    }),
  )
  await assert.rejects(endpoint.invoke(new Call(methods.ask, 1)), { code: 'NOT_FOUND' })
  assert.equal(await nextTryMs(failing), 200)

  const streaming = await tries.at(-1)!.open(new ScriptedConnection(async () => []))
  await endpoint.invoke(new Call(methods.list, 1))
  assert.equal(await nextTryMs(streaming), 400)

  const late = Promise.withResolvers<void>()
  const slow = await tries.at(-1)!.open(new ScriptedConnection(() => late.promise))
  const asked = endpoint.invoke(new Call(methods.ask, 1), false)
  assert.equal(await nextTryMs(slow), 800)
  const dropped = await tries.at(-1)!.open()
  late.resolve()
  await asked
  assert.equal(await nextTryMs(dropped), 1_600)

  const good = await tries.at(-1)!.open()
  await endpoint.invoke(new Call(methods.ask, 1), false)
  assert.deepEqual([await nextTryMs(good), await drop()], [50, 100])
})

test('it says why it takes no calls, and when it tries again', async () => {
  const { clock, tries, endpoint } = bench(() => 0.5)
  assert.equal(endpoint.describe(), 'a: connecting')
  await tries[0]!.fail(refused)
  await clock.advance(20)
  assert.equal(endpoint.describe(), 'a: ECONNREFUSED; next try in 30 ms')
  await clock.advance(30)
  assert.equal(endpoint.describe(), 'a: connecting again, after: ECONNREFUSED')
  const connection = await tries[1]!.open()
  assert.equal(endpoint.describe(), 'a: open')
  connection.state = 'draining'
  assert.equal(endpoint.describe(), 'a: draining')
  connection.lose()
  await clock.advance(0)
  assert.equal(endpoint.describe(), 'a: the connection was closed; next try in 100 ms')
  await endpoint.close()
  assert.equal(endpoint.describe(), 'a: closed')
})

test('what is no CoveyError is told without its inside', async () => {
  const { tries, endpoint } = bench()
  await tries[0]!.fail(new Error('password 123'))
  assert.match(endpoint.describe(), /^a: the service failed; next try in 50 ms$/)
})

test('hurry tries at once and forgets the failures; it does nothing while there is no waiting', async () => {
  const { clock, tries, endpoint } = bench(() => 0.5)
  endpoint.hurry()
  assert.equal(tries.length, 1)
  for (let count = 0; count < 5; count++) {
    await tries.at(-1)!.fail(refused)
    await clock.advance(10_000)
  }
  await tries.at(-1)!.fail(refused)
  const before = tries.length
  endpoint.hurry()
  assert.equal(tries.length, before + 1)
  await clock.advance(60_000)
  assert.equal(tries.length, before + 1, 'the timer of the wait is gone')
  await tries.at(-1)!.fail(refused)
  await clock.advance(50)
  assert.equal(tries.length, before + 2)
  await tries.at(-1)!.open()
  endpoint.hurry()
  assert.equal(tries.length, before + 2)
})

test('an instance that is listed no more is not tried again', async () => {
  const { clock, tries, endpoint } = bench()
  await tries[0]!.fail(refused)
  endpoint.listed = false
  await clock.advance(60_000)
  assert.equal(tries.length, 1)
})

test('a connection that drains takes no calls', async () => {
  const { tries, endpoint } = bench()
  const connection = await tries[0]!.open()
  connection.state = 'draining'
  assert.equal(endpoint.ready, false)
})

test('it counts what is pending, and knows its weight', async () => {
  const { tries, endpoint } = bench()
  assert.equal(endpoint.pending, 0)
  const connection = await tries[0]!.open()
  connection.pending = 3
  assert.equal(endpoint.pending, 3)
  endpoint.instance = sampleInstance('a', { weight: 5 })
  assert.equal(endpoint.weight, 5)
})

test('the time of a call is measured, of a failed one too, unless nobody compares', async () => {
  const { clock, tries, endpoint } = bench()
  const connection = await tries[0]!.open()
  const answers: PromiseWithResolvers<unknown>[] = []
  connection.answer = () => {
    const answer = Promise.withResolvers<unknown>()
    answers.push(answer)
    return answer.promise
  }
  const call = () => new Call(methods.ask, undefined)
  const alone = endpoint.invoke(call(), false)
  await clock.advance(900)
  answers[0]!.resolve('x')
  await alone
  assert.equal(endpoint.latencyMs, 0)
  const good = endpoint.invoke(call())
  await clock.advance(30)
  answers[1]!.resolve('x')
  await good
  assert.equal(endpoint.latencyMs, 30)
  const bad = endpoint.invoke(call())
  bad.catch(() => {})
  await clock.advance(70)
  answers[2]!.reject(refused)
  await assert.rejects(bad, refused)
  assert.equal(endpoint.latencyMs, 70)
})

test('how long a question for a result waits says nothing of the instance', async () => {
  const { clock, tries, endpoint } = bench()
  const answer = Promise.withResolvers<void>()
  await tries[0]!.open(new ScriptedConnection(() => answer.promise))
  const asked = endpoint.invoke(new Call(resultContract.methods.collect, undefined))
  await clock.advance(20_000)
  answer.resolve()
  await asked
  assert.equal(endpoint.latencyMs, 0)
})

test('one that stands still takes calls, says so, and tells of it', async () => {
  const { tries, endpoint, changes } = bench()
  assert.equal(endpoint.stalled, false)
  const connection = await tries[0]!.open(new ScriptedConnection(async () => 'late'))
  connection.stall(812.4)
  assert.deepEqual([endpoint.ready, endpoint.stalled, changes.length], [true, true, 2])
  assert.equal(endpoint.describe(), 'a: stalled: nothing heard for 812 ms')
  assert.equal(await endpoint.invoke(new Call(methods.ask, 1)), 'late')
  await connection.wake()
  assert.deepEqual([endpoint.ready, endpoint.stalled, changes.length], [true, false, 3])
  assert.equal(endpoint.describe(), 'a: open')
  connection.stall()
  connection.lose()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([endpoint.ready, endpoint.stalled], [false, false])
})

test('what calls took while it stood still is forgotten when it is back', async () => {
  const { clock, tries, endpoint } = bench()
  const answers: PromiseWithResolvers<unknown>[] = []
  const connection = await tries[0]!.open()
  connection.answer = () => {
    const answer = Promise.withResolvers<unknown>()
    answers.push(answer)
    return answer.promise
  }
  const ask = () => endpoint.invoke(new Call(methods.ask, undefined))
  const answered = async (result: Promise<unknown>, index: number) => {
    answers[index]!.resolve('x')
    await result
  }
  const before = [ask(), ask()]
  await clock.advance(700)
  await answered(before[0]!, 0)
  assert.equal(endpoint.latencyMs, 700)
  connection.stall()
  const meanwhile = ask()
  await clock.advance(2_000)
  await connection.wake()
  assert.equal(endpoint.latencyMs, 0)
  await answered(before[1]!, 1)
  await answered(meanwhile, 2)
  assert.equal(endpoint.latencyMs, 0)
  const after = ask()
  await clock.advance(3)
  await answered(after, 3)
  assert.equal(endpoint.latencyMs, 3)
})

test('closing ends the connection and all that waits, and tells nobody', async () => {
  const open = bench()
  const connection = await open.tries[0]!.open()
  await open.endpoint.close()
  assert.deepEqual([connection.state, open.endpoint.state.is], ['closed', 'closed'])
  await open.clock.advance(60_000)
  assert.deepEqual([open.tries.length, open.changes], [1, ['ready']])

  const waiting = bench()
  await waiting.tries[0]!.fail(refused)
  await waiting.endpoint.close()
  assert.equal(waiting.clock.waiting, 0)
  waiting.endpoint.hurry()
  assert.equal(waiting.tries.length, 1)
  await waiting.endpoint.close()
})

test('a connection that opens after the end is closed, one that fails is not tried again', async () => {
  const opening = bench()
  await opening.endpoint.close()
  assert.equal(opening.tries[0]!.signal.aborted, true)
  const connection = await opening.tries[0]!.open()
  assert.deepEqual([connection.state, opening.endpoint.state.is], ['closed', 'closed'])

  const failing = bench()
  await failing.endpoint.close()
  await failing.tries[0]!.fail(refused)
  await failing.clock.advance(60_000)
  assert.deepEqual([failing.tries.length, failing.endpoint.state.is], [1, 'closed'])
})
