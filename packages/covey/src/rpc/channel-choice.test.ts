import assert from 'node:assert/strict'
import { test } from 'node:test'
import { p2c } from '../balance/p2c.ts'
import { Call } from '../call/call.ts'
import { CoveyError } from '../error/covey-error.ts'
import { channelBench } from '../testing/channel-bench.ts'
import { seededRandom } from '../testing/random.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import { health } from './health.ts'

const refused = new CoveyError('UNAVAILABLE', 'ECONNREFUSED')

function refusing(code: string, connection: ScriptedConnection): ScriptedConnection {
  connection.answer = () => Promise.reject(new CoveyError(code, 'not now'))
  return connection
}

test('a call that was not run goes to another instance', async () => {
  for (const code of ['UNAVAILABLE', 'DRAINING']) {
    const { ask, list, at } = channelBench()
    await list('a', 'b')
    refusing(code, at('a'))
    assert.equal(await ask(), 'b')
    assert.deepEqual([at('a').calls.length, at('b').calls.length], [1, 1])
  }
})

test('at most two others are asked, each once, and the last refusal is told', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b', 'c', 'd')
  for (const id of ['a', 'b', 'c', 'd']) refusing('UNAVAILABLE', at(id))
  await assert.rejects(ask(), { code: 'UNAVAILABLE' })
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => at(id).calls.length),
    [1, 1, 1, 0],
  )
})

test('two instances that both refuse are asked once each', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b')
  refusing('UNAVAILABLE', at('a'))
  refusing('DRAINING', at('b'))
  await assert.rejects(ask(), { code: 'DRAINING' })
  assert.deepEqual([at('a').calls.length, at('b').calls.length], [1, 1])
})

test('a call that may have run, or that failed, is not repeated', async () => {
  const codes = ['CONNECTION_LOST', 'DEADLINE_EXCEEDED', 'INTERNAL', 'GONE']
  for (const code of codes) {
    const { ask, list, at } = channelBench()
    await list('a', 'b')
    refusing(code, at('a'))
    await assert.rejects(ask(), { code })
    assert.equal(at('b').calls.length, 0)
  }
})

test('a call for one instance goes to that one alone', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b')
  const routing = { instance: 'b' }
  assert.equal(await ask({ routing }), 'b')
  refusing('DRAINING', at('b'))
  await assert.rejects(ask({ routing }), { code: 'DRAINING' })
  assert.equal(at('a').calls.length, 0)
  await assert.rejects(ask({ routing: { instance: 'x' } }), {
    code: 'UNAVAILABLE',
    message: 'users (instance x): none of the 2 in the registry fits; there are instances a, b',
  })
})

test('a call that was cancelled meanwhile is not repeated', async () => {
  const { channel, call: newCall, list, at } = channelBench()
  await list('a', 'b')
  const call = newCall()
  refusing('UNAVAILABLE', at('a')).answer = async () => {
    call.cancel(new CoveyError('CANCELLED', 'enough'))
    throw refused
  }
  await assert.rejects(channel.invoke(call), refused)
  assert.equal(at('b').calls.length, 0)
})

test('a call that had to wait is brought to another instance like others', async () => {
  const { ask, clock, list } = channelBench({
    async connect({ id }) {
      return new ScriptedConnection(async () => {
        if (id === 'a') throw refused
        return id
      })
    },
  })
  const asked = ask()
  await list('a', 'b')
  await clock.advance(0)
  assert.equal(await asked, 'b')
})

test('an instance that the registry lost but that answers goes on serving', async () => {
  const { ask, clock, list, at, opened } = channelBench()
  await list('a')
  await list()
  assert.equal(await ask(), 'a')
  at('a').lose()
  await clock.advance(60_000)
  await assert.rejects(ask(), { message: 'users: no instance in the registry' })
  assert.deepEqual(opened, ['a'])
})

test('those that are listed come before those that are not', async () => {
  const { ask, list } = channelBench()
  await list('a', 'b')
  await list('b')
  assert.equal(await ask(), 'b')
})

test('draining instances are picked only where there is no other', async () => {
  const draining = sampleInstance('a', { state: 'draining' })
  const two = channelBench()
  await two.list(draining, 'b')
  assert.equal(await two.ask(), 'b')
  const one = channelBench()
  await one.list(draining)
  assert.equal(await one.ask(), 'a')
})

test('a connection that began to drain is passed over', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b')
  at('a').state = 'draining'
  assert.equal(await ask(), 'b')
  at('b').state = 'draining'
  await assert.rejects(ask(), { message: 'users: a: draining; b: draining' })
})

test('what is served to the end goes to an instance that drains, as long as its connection is there', async () => {
  const { channel, clock, ask, list, at, opened } = channelBench()
  const check = (instance?: string) => {
    const routing = instance === undefined ? undefined : { instance }
    return channel.invoke(new Call(health.methods.check, undefined, { clock, routing }))
  }
  await list(sampleInstance('a', { state: 'draining' }), 'b')
  assert.deepEqual([await check('a'), await check()], ['a', 'b'])
  at('a').state = 'draining'
  assert.equal(await check('a'), 'a')
  assert.equal(await check(), 'b')
  await assert.rejects(ask({ routing: { instance: 'a' } }), { code: 'UNAVAILABLE' })
  at('b').state = 'draining'
  assert.equal(await check(), 'a')
  // The registry may have let go of it.
  await list('b')
  assert.equal(await check('a'), 'a')
  at('a').lose()
  await clock.advance(60_000)
  await assert.rejects(check('a'), { code: 'UNAVAILABLE', message: /none of the 1 / })
  assert.deepEqual(opened, ['a', 'b'])
})

test('when the last listed one begins to drain, one that is listed no more still serves', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b')
  await list('a')
  assert.equal(await ask(), 'a')
  at('a').state = 'draining'
  assert.equal(await ask(), 'b')
})

test('a detour stays among those that fit', async () => {
  const { ask, list, at } = channelBench()
  const blue = (id: string) => sampleInstance(id, { group: 'blue' })
  await list(blue('a'), 'b', blue('c'))
  refusing('UNAVAILABLE', at('a'))
  assert.equal(await ask({ routing: { group: 'blue' } }), 'c')
  refusing('DRAINING', at('c'))
  await assert.rejects(ask({ routing: { group: 'blue' } }), { code: 'DRAINING' })
  assert.equal(at('b').calls.length, 0)
})

test('a detour of a key goes where the key goes when that instance is gone', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b', 'c', 'd')
  const routing = { key: 'user-7' }
  const owner = String(await ask({ routing }))
  refusing('DRAINING', at(owner))
  const next = await ask({ routing })
  assert.notEqual(next, owner)
  at(owner).lose()
  await list('a', 'b', 'c', 'd')
  assert.equal(await ask({ routing }), next)
})

test('what fits is looked up anew when the list or a connection changes', async () => {
  const { ask, list, at } = channelBench()
  const routing = { group: 'blue' }
  await list(sampleInstance('a', { group: 'blue' }), sampleInstance('b', { group: 'green' }))
  assert.equal(await ask({ routing }), 'a')
  await list(sampleInstance('a', { group: 'green' }), sampleInstance('b', { group: 'blue' }))
  assert.equal(await ask({ routing }), 'b')
  await list('a', sampleInstance('b', { group: 'blue' }), sampleInstance('c', { group: 'blue' }))
  at('b').state = 'draining'
  assert.equal(await ask({ routing }), 'c')
})

test('a client may bring a balancer of its own', async () => {
  const { channel, call, list } = channelBench()
  await list('a', 'b')
  assert.equal(await channel.send(call()), 'a')
  assert.equal(await channel.send(call(), (candidates) => candidates.at(-1)!), 'b')
})

test('an instance that stands still is passed over while another one is there', async () => {
  const { ask, list, at } = channelBench()
  await list('a', 'b', 'c')
  at('a').stall()
  assert.equal(await ask(), 'b')
  at('b').stall()
  assert.equal(await ask(), 'c')
  await at('a').wake()
  assert.equal(await ask(), 'a')
})

test('one that is draining comes before one that stands still, and where all stand still they serve', async () => {
  const { ask, list, at } = channelBench()
  await list('a', sampleInstance('b', { state: 'draining' }))
  assert.equal(await ask(), 'a')
  at('a').stall()
  assert.equal(await ask(), 'b')
  at('b').stall()
  assert.equal(await ask(), 'a')
})

test('wishes and keys come first: who stands still serves where nobody else fits', async () => {
  const { ask, list, at } = channelBench()
  await list(sampleInstance('a', { group: 'blue' }), sampleInstance('b', { group: 'blue' }), 'c')
  const blue = { group: 'blue' }
  assert.equal(await ask({ routing: blue }), 'a')
  at('a').stall()
  assert.equal(await ask({ routing: blue }), 'b')
  assert.equal(await ask({ routing: { instance: 'a' } }), 'a')
  at('b').stall()
  assert.equal(await ask({ routing: blue }), 'a')
  await at('b').wake()
  assert.equal(await ask({ routing: blue }), 'b')
  const keys = Array.from({ length: 40 }, (_, n) => ({ key: `user-${n}` }))
  const owners = () => Promise.all(keys.map((routing) => ask({ routing })))
  assert.ok((await owners()).every((owner) => owner !== 'a'))
  await at('a').wake()
  assert.ok((await owners()).includes('a'))
})

test('an instance that stood still gets its share as soon as it is back', async () => {
  const { ask, list, at, clock } = channelBench({ balancer: p2c(seededRandom(7)) })
  await list('a', 'b')
  at('b').answer = async () => {
    await new Promise<void>((resolve) => clock.after(2, resolve))
    return 'b'
  }
  const late = Promise.withResolvers<unknown>()
  at('a').answer = () => late.promise
  const caught = Array.from({ length: 20 }, () => ask())
  await clock.advance(2)
  at('a').stall()
  await clock.advance(3_000)
  late.resolve('a')
  await at('a').wake()
  await Promise.all(caught)
  at('a').answer = at('b').answer
  const before = at('a').calls.length
  for (let n = 0; n < 20; n++) {
    const asked = ask()
    await clock.advance(2)
    await asked
  }
  assert.ok(at('a').calls.length > before + 3, `${at('a').calls.length - before} of 20`)
})
