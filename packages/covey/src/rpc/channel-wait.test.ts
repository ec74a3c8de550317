import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call } from '../call/call.ts'
import { compose } from '../call/handler.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { channelBench } from '../testing/channel-bench.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import { clientStack } from './client-stack.ts'

const { methods } = defineContract('users', { get: unary({ input: z.any() }) })

const refused = new CoveyError('UNAVAILABLE', 'ECONNREFUSED')

/** Settles with what a call comes to, as text. */
function outcome(result: Promise<unknown>): Promise<string> {
  return result.then(String, (error: CoveyError) => error.code)
}

test('a call waits for the first list and the first connection', async () => {
  const connecting = Promise.withResolvers<void>()
  const { clock, ask, list } = channelBench({
    async connect({ id }) {
      await connecting.promise
      return new ScriptedConnection(async () => id)
    },
  })
  let result: string | undefined
  void outcome(ask()).then((text) => {
    result = text
  })
  await clock.advance(500)
  await list('a')
  await clock.advance(400)
  assert.equal(result, undefined)
  connecting.resolve()
  await clock.advance(0)
  assert.equal(result, 'a')
})

test('it does not wait for ever: a registry that is silent is named', async () => {
  const { clock, ask } = channelBench()
  const asked = ask()
  asked.catch(() => {})
  await clock.advance(1_000)
  await assert.rejects(asked, {
    code: 'UNAVAILABLE',
    message: 'users: the registry has not answered',
  })
  assert.equal(clock.waiting, 0)
})

test('a deadline that is nearer ends the wait, and says what was waited for', async () => {
  const { clock, ask } = channelBench()
  const asked = ask({ deadlineMs: 100 })
  asked.catch(() => {})
  await clock.advance(100)
  await assert.rejects(asked, {
    code: 'DEADLINE_EXCEEDED',
    message:
      'users.get: its time was used up while it waited for a connection; it was not run: users: the registry has not answered',
    details: { service: 'users', instances: [] },
  })
  assert.equal(clock.waiting, 0)
})

test('it says so too where the deadline of the stack was quicker to see it', async () => {
  const {
    clock,
    channel,
    call: newCall,
    list,
  } = channelBench({
    connect: () => new Promise(() => {}),
  })
  await list('a')
  const wheel = new TimerWheel(clock)
  const ask = compose(clientStack({ wheel, middleware: [] }), channel.invoke)
  const asked = ask(newCall({ deadlineMs: 100 }))
  const cancelled = newCall({ deadlineMs: 100 })
  const other = channel.invoke(cancelled)
  // The same turn of a process that was held up: the call is cancelled before its wait is looked at.
  await clock.advance(99)
  const both = Promise.allSettled([asked, other])
  clock.after(1, () => cancelled.cancel(new CoveyError('DEADLINE_EXCEEDED', 'the stack saw it')))
  await clock.advance(1_000)
  for (const result of await both) {
    const { code, message } = (result as PromiseRejectedResult).reason as CoveyError
    assert.equal(code, 'DEADLINE_EXCEEDED')
    assert.match(message, /while it waited for a connection; it was not run: users: a: connecting/)
  }
})

test('the time for a first connection is told as such where the deadline is further away', async () => {
  const { clock, ask } = channelBench()
  const asked = outcome(ask({ deadlineMs: 1_001 }))
  await clock.advance(5_000)
  assert.equal(await asked, 'UNAVAILABLE')
})

test('a cancelled call waits no longer and leaves no timer', async () => {
  const { clock, channel, call: newCall } = channelBench()
  const call = newCall()
  const asked = outcome(channel.invoke(call))
  await clock.advance(10)
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.equal(await asked, 'CANCELLED')
  assert.equal(clock.waiting, 0)
})

test('an empty list fails at once, and names where it comes from', async () => {
  const { ask, list } = channelBench()
  await list()
  await assert.rejects(ask(), {
    code: 'UNAVAILABLE',
    message: 'users: no instance in the registry',
    details: { service: 'users', instances: [] },
  })
})

test('when all connections are down it fails at once, saying what was tried', async () => {
  const { ask, list } = channelBench({ connect: () => Promise.reject(refused) })
  await list('a', 'b')
  await assert.rejects(ask(), {
    code: 'UNAVAILABLE',
    message: 'users: a: ECONNREFUSED; next try in 50 ms; b: ECONNREFUSED; next try in 50 ms',
  })
})

test('without a limit a call waits while connections are down, until its deadline', async () => {
  let up = false
  const { clock, ask, list } = channelBench({
    firstConnectionMs: Number.POSITIVE_INFINITY,
    async connect({ id }) {
      if (!up) throw refused
      return new ScriptedConnection(async () => id)
    },
  })
  await list('a')
  const patient = outcome(ask({ deadlineMs: 60_000 }))
  const hasty = outcome(ask({ deadlineMs: 2_000 }))
  const endless = outcome(ask())
  await clock.advance(5_000)
  assert.equal(await hasty, 'DEADLINE_EXCEEDED')
  up = true
  await clock.advance(10_000)
  assert.deepEqual([await patient, await endless], ['a', 'a'])
})

test('hurry tries waiting connections at once', async () => {
  let up = false
  const { ask, channel, clock, list } = channelBench({
    async connect({ id }) {
      if (!up) throw refused
      return new ScriptedConnection(async () => id)
    },
  })
  await list('a')
  up = true
  channel.hurry()
  await clock.advance(0)
  assert.equal(await ask(), 'a')
})

test('an instance that is announced anew is tried at once', async () => {
  let up = false
  const { ask, list, clock } = channelBench({
    async connect({ id }) {
      if (!up) throw refused
      return new ScriptedConnection(async () => id)
    },
  })
  await list('a')
  await list()
  up = true
  await list('a')
  await clock.advance(0)
  assert.equal(await ask(), 'a')
})

test('a list that breaks off is logged, and the last one stays', async () => {
  const cause = new Error('the registry is gone')
  const { ask, log, clock } = channelBench({
    instances: (async function* () {
      yield [sampleInstance('a')]
      throw cause
    })(),
  })
  await clock.advance(0)
  assert.equal(await ask(), 'a')
  assert.deepEqual(log.lines, [
    {
      level: 'error',
      fields: { err: cause, service: 'users' },
      message: 'the list of instances ended; the last one stays',
    },
  ])
})

test('a list that breaks off before there was one is told with its reason', async () => {
  const breaking = (cause: Error) => {
    const instances: AsyncIterable<never> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(cause) }),
    }
    return channelBench({ instances }).ask({ routing: { instance: 'a' } })
  }
  const details = { service: 'users', instances: [] }
  const gone = new CoveyError('UNAVAILABLE', 'no answer from 10.0.0.1')
  await assert.rejects(breaking(gone), {
    code: 'UNAVAILABLE',
    message: 'users: the registry: no answer from 10.0.0.1',
    details,
    cause: gone,
  })
  const bug = new Error('password 123')
  await assert.rejects(breaking(bug), {
    code: 'UNAVAILABLE',
    message: 'users: the registry: the list of instances ended',
    details,
    cause: bug,
  })
})

test('an instance that is listed again opens the connections that it lost meanwhile', async () => {
  const opened: ScriptedConnection[] = []
  const { list, clock, channel } = channelBench({
    connectionsPerInstance: 2,
    async connect({ id }) {
      const connection = new ScriptedConnection(async () => id)
      opened.push(connection)
      return connection
    },
  })
  await list('a')
  assert.equal(opened.length, 2)
  opened[0]!.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await list()
  await clock.advance(60_000)
  assert.equal(opened.length, 2, 'not while it is not listed')
  assert.equal(channel.figures.instances.length, 1)
  await list('a')
  await clock.advance(0)
  assert.equal(opened.length, 3)
})

test('without a call for a while it opens no connections; the next call is answered', async () => {
  let up = true
  const tries: number[] = []
  let connection: ScriptedConnection | undefined
  const { list, clock, ask, channel } = channelBench({
    idleMs: 60_000,
    async connect({ id }) {
      tries.push(clock.monotonicMs())
      if (!up) throw refused
      connection = new ScriptedConnection(async () => id)
      return connection
    },
  })
  await list('a')
  assert.equal(await ask(), 'a')
  await clock.advance(3_600_000)
  assert.equal(await ask(), 'a', 'one that is open stays open')
  up = false
  connection!.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await clock.advance(50_000)
  assert.ok(tries.length > 8, `${tries}`)
  await assert.rejects(ask())
  const askedMs = clock.monotonicMs()
  await clock.advance(100_000)
  assert.ok(tries.at(-1)! > askedMs + 45_000 && tries.at(-1)! < askedMs + 80_000, `${tries}`)
  assert.equal(channel.figures.instances[0]!.state, 'ECONNREFUSED; given up for now')
  assert.equal(clock.waiting, 0)
  up = true
  assert.equal(await ask(), 'a')
})

test('closing ends what waits, what is connected and what comes later', async () => {
  const { ask, channel, clock, list, at } = channelBench()
  const waiting = ask()
  waiting.catch(() => {})
  await clock.advance(10)
  await channel.close()
  const closed = { code: 'UNAVAILABLE', message: 'users: the client is closed' }
  await assert.rejects(waiting, closed)
  await list('a')
  await assert.rejects(ask(), closed)
  assert.equal(at('a'), undefined)

  const open = channelBench()
  await open.list('a')
  await open.channel.close()
  assert.equal(open.at('a').state, 'closed')
  await assert.rejects(open.ask(), closed)
  assert.equal(open.clock.waiting, 0)
})

test('only so many calls wait; further ones are refused at once, and those that wait are served', async () => {
  const { ask, channel, clock, list } = channelBench({ maxWaitingCalls: 3 })
  const patient = [ask(), ask(), ask()]
  await assert.rejects(ask(), {
    code: 'RESOURCE_EXHAUSTED',
    message: 'users: 3 calls wait for a connection',
  })
  assert.equal(channel.waiting, 3)
  await list('a')
  assert.deepEqual(await Promise.all(patient), ['a', 'a', 'a'])
  assert.deepEqual([channel.waiting, clock.waiting], [0, 0])
})

test('calls with so much input wait and no more', async () => {
  const { channel, clock, list } = channelBench({ maxWaitingBytes: 25_000 })
  const large = () => {
    const input = { text: 'x'.repeat(10_000) }
    return outcome(channel.invoke(new Call(methods.get, input, { clock })))
  }
  const patient = [large(), large()]
  assert.equal(await large(), 'RESOURCE_EXHAUSTED')
  await list('a')
  assert.deepEqual(await Promise.all(patient), ['a', 'a'])
  const again = channelBench({ maxWaitingBytes: 25_000 })
  for (let round = 0; round < 5; round++) {
    const call = new Call(methods.get, 'x'.repeat(20_000), { clock: again.clock })
    const given = outcome(again.channel.invoke(call))
    call.cancel(new CoveyError('CANCELLED', 'enough'))
    assert.equal(await given, 'CANCELLED', 'those that left hold nothing')
  }
})

test('a call that leaves the queue makes room for another one', async () => {
  const { ask, channel, call: newCall, clock, list } = channelBench({ maxWaitingCalls: 1 })
  const first = newCall()
  const given = outcome(channel.invoke(first))
  assert.equal(await outcome(ask()), 'RESOURCE_EXHAUSTED')
  first.cancel(new CoveyError('CANCELLED', 'enough'))
  assert.equal(await given, 'CANCELLED')
  const second = ask()
  await clock.advance(10)
  await list('a')
  assert.equal(await second, 'a')
})

test('a call for what is not there fails at once, also where calls wait for their connection for ever', async () => {
  const { ask, list } = channelBench({
    firstConnectionMs: Number.POSITIVE_INFINITY,
    connect: () => Promise.reject(refused),
  })
  await list(sampleInstance('a', { group: 'blue' }))
  await assert.rejects(ask({ routing: { group: 'green' } }), {
    code: 'UNAVAILABLE',
    message:
      'users (group green): none of the 1 in the registry fits; there are instances a; groups blue',
  })
})

test('a call waits for an instance that fits, while others are there', async () => {
  const connecting = Promise.withResolvers<void>()
  const { ask, list } = channelBench({
    async connect({ id }) {
      if (id === 'b') await connecting.promise
      return new ScriptedConnection(async () => id)
    },
  })
  await list('a', sampleInstance('b', { group: 'blue' }))
  assert.equal(await ask(), 'a')
  const blue = ask({ routing: { group: 'blue' } })
  connecting.resolve()
  assert.equal(await blue, 'b')
})
