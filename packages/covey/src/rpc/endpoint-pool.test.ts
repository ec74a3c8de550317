import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { LocalFleet, whoami } from '../testing/local-fleet.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { ScriptedConnection } from '../testing/scripted-connection.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { Endpoint } from './endpoint.ts'
import { health } from './health.ts'
import { createRuntime } from './runtime.ts'
import { stats } from './stats.ts'

const { methods } = defineContract('t', { ask: unary() })

async function bench(connections: number) {
  const clock = new FakeClock()
  const opened: ScriptedConnection[] = []
  let down = false
  let changes = 0
  const endpoint = new Endpoint(sampleInstance('a'), {
    clock,
    random: () => 0.5,
    connections,
    onChange: () => void changes++,
    async connect(_, __, events) {
      if (down) throw new CoveyError('UNAVAILABLE', 'ECONNREFUSED')
      const connection: ScriptedConnection = new ScriptedConnection(() => {
        connection.pending += 1
        return new Promise(() => {})
      })
      connection.events = events
      opened.push(connection)
      return connection
    },
  })
  await clock.advance(0)
  const ask = (batch?: object) => void endpoint.invoke(new Call(methods.ask, 1, { batch }), false)
  const counts = () => opened.map(({ calls }) => calls.length)
  const setDown = (value: boolean) => {
    down = value
  }
  return { clock, opened, endpoint, ask, counts, setDown, changes: () => changes }
}

test('calls go to the connection with the fewest in flight, of equals to each in its turn', async () => {
  const { opened, endpoint, ask, counts } = await bench(4)
  assert.equal(opened.length, 4)
  for (let n = 0; n < 8; n++) ask()
  assert.deepEqual(counts(), [2, 2, 2, 2])
  assert.equal(endpoint.pending, 8)
  opened[2]!.pending = 0
  ask()
  ask()
  assert.deepEqual(counts(), [2, 2, 4, 2])
})

test('when one of four dies the others go on, and it is opened again', async () => {
  const { clock, opened, endpoint, ask, counts, setDown } = await bench(4)
  setDown(true)
  opened[1]!.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await clock.advance(0)
  assert.equal(endpoint.ready, true)
  for (let n = 0; n < 6; n++) ask()
  assert.deepEqual(counts(), [2, 0, 2, 2])
  assert.equal(opened.length, 4)
  setDown(false)
  await clock.advance(1_000)
  assert.equal(opened.length, 5)
  for (let n = 0; n < 2; n++) ask()
  assert.deepEqual(counts(), [2, 0, 2, 2, 2])
})

test('it takes no calls when all of them are gone, says why, and closes all that wait', async () => {
  const { clock, opened, endpoint, setDown } = await bench(3)
  setDown(true)
  for (const connection of opened) connection.lose(new CoveyError('CONNECTION_LOST', 'reset'))
  await clock.advance(0)
  assert.equal(endpoint.ready, false)
  assert.match(endpoint.describe(), /^a: reset; next try in/)
  await endpoint.close()
  assert.equal(clock.waiting, 0)
})

test('what is served to the end takes the connection that drains, whichever of them it is', async () => {
  const { clock, opened, endpoint, setDown } = await bench(3)
  setDown(true)
  opened[0]!.lose()
  opened[2]!.lose()
  await clock.advance(0)
  opened[1]!.state = 'draining'
  assert.deepEqual([endpoint.ready, endpoint.lingering], [false, true])
  opened[1]!.answer = async () => 'well'
  for (let n = 0; n < 3; n++) {
    assert.equal(await endpoint.invoke(new Call(health.methods.check, undefined)), 'well')
  }
  opened[1]!.state = 'closed'
  assert.equal(endpoint.lingering, false)
})

test('where one connection stands still the others are asked, for they may be idle; no answer means the instance', async () => {
  const { opened, endpoint, changes } = await bench(3)
  const before = changes()
  opened[1]!.stall()
  assert.deepEqual([endpoint.ready, endpoint.stalled], [true, true])
  assert.deepEqual(
    opened.map(({ probed }) => probed !== undefined),
    [true, false, true],
  )
  assert.ok(changes() > before)
  for (const connection of [opened[0]!, opened[2]!]) connection.stall()
  assert.equal(endpoint.stalled, true)
  const still = changes()
  for (const connection of opened) await connection.wake()
  assert.equal(endpoint.stalled, false)
  assert.ok(changes() > still)
})

test('one way that is blocked is not the instance: another that answers takes the calls', async () => {
  const { clock, opened, endpoint, ask, counts, changes } = await bench(3)
  opened[1]!.stall()
  const before = changes()
  await opened[2]!.wake()
  await clock.advance(0)
  assert.equal(endpoint.stalled, false)
  assert.ok(changes() > before)
  for (let n = 0; n < 6; n++) ask()
  assert.deepEqual(counts(), [3, 0, 3])
  const batch = {}
  for (let n = 0; n < 3; n++) ask(batch)
  assert.equal(counts()[1], 0)
  // It is left by the calls of a batch that had begun there, too.
  await opened[1]!.wake()
  for (let n = 0; n < 4; n++) ask(batch)
  const used = counts().findIndex((count) => count >= 10)
  opened[used]!.stall()
  ask(batch)
  assert.equal(counts()[used], 10)
})

test('a new connection that opens shows that the instance is not the one that stands still', async () => {
  const { clock, opened, endpoint } = await bench(2)
  opened[0]!.stall()
  opened[1]!.lose()
  await clock.advance(0)
  assert.equal(endpoint.stalled, true)
  await clock.advance(200)
  assert.equal(opened.length, 3)
  assert.equal(endpoint.stalled, false)
})

test('the calls of a batch stay on one connection, as long as that is there', async () => {
  const { opened, ask, counts } = await bench(4)
  const batch = {}
  for (let n = 0; n < 5; n++) ask(batch)
  assert.deepEqual(counts().toSorted(), [0, 0, 0, 5])
  const used = counts().indexOf(5)
  for (let n = 0; n < 3; n++) ask({})
  assert.equal(counts()[used], 5)
  const last = {}
  ask(last)
  const lost = opened.findLast(({ calls }) => calls.at(-1)?.batch === last)!
  lost.state = 'closed'
  ask(last)
  assert.notEqual(
    opened.findLast(({ calls, state }) => calls.at(-1)?.batch === last && state === 'open'),
    undefined,
  )
})

test('a runtime keeps as many connections to each instance as it is told', async () => {
  await using fleet = new LocalFleet({ connectionsPerInstance: 4 })
  const a = await fleet.start('a')
  const api = createClient(whoami, { runtime: fleet.runtime })
  assert.equal(await api.name(), 'a')
  const look = createClient(stats, { target: a.address, runtime: fleet.runtime })
  await until(async () => {
    const { connections } = await look.read()
    return connections === 8
  }, 'four of each of the two clients')
  const names = await Promise.all(Array.from({ length: 100 }, () => api.name()))
  assert.deepEqual(new Set(names), new Set(['a']))
})

test('a number of connections that is none is refused', () => {
  for (const connectionsPerInstance of [0, -1, 17, 1.5, Number.NaN]) {
    assert.throws(() => createRuntime({ connectionsPerInstance }), {
      name: 'TypeError',
      message: `connectionsPerInstance: expected 1 to 16, found ${connectionsPerInstance}`,
    })
  }
})
