import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { createWebClient } from '../client/create-web-client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { silentLog } from '../observe/log.ts'
import { freePort } from '../testing/free-port.ts'
import { LocalFleet, whoami } from '../testing/local-fleet.ts'
import { defaultLimits } from '../transport/limits.ts'
import { listenWs } from '../transport/ws/server.ts'
import { batch } from './batch.ts'
import { createClient } from './create-client.ts'
import { createDispatcher } from './dispatcher.ts'

const meeting = defineContract('meeting', { come: unary() })

/** Answers when both have come: only calls that run at the same time get through. */
function meetingOfTwo() {
  const both = Promise.withResolvers<void>()
  let came = 0
  return defineService(meeting, {
    come() {
      came += 1
      if (came === 2) both.resolve()
      return both.promise
    },
  })
}

async function listen(url: string) {
  return listenWs(
    url,
    createDispatcher([meetingOfTwo()], {
      instance: 'gateway',
      wheel: new TimerWheel(systemClock),
      log: silentLog,
      middleware: [],
    }),
    { limits: defaultLimits, clock: systemClock },
  )
}

test('a batch reaches across registries, targets and instances', async () => {
  await using one = new LocalFleet()
  await using two = new LocalFleet()
  const a = await one.start('a', { group: 'x' })
  const b = await one.start('b', { group: 'y' })
  await two.start('c')
  const fleet = createClient(whoami, { runtime: one.runtime })
  const fixed = createClient(whoami, { runtime: one.runtime, target: a.address })
  const other = createClient(whoami, { runtime: two.runtime })
  const names = await batch({
    x: fleet.name.of(undefined, { group: 'x' }),
    y: fleet.name.of(undefined, { instance: b.instance.id }),
    fixed: fixed.name.of(),
    other: other.name.of(),
  })
  assert.deepEqual(names, { x: 'a', y: 'b', fixed: 'a', other: 'c' })
  const { nobody, somebody } = await batch.settled({
    nobody: fleet.name.of(undefined, { group: 'z' }),
    somebody: other.name.of(),
  })
  assert.equal(nobody.ok ? 'found' : nobody.error.code, 'UNAVAILABLE')
  assert.deepEqual(somebody, { ok: true, value: 'c' })
})

test('a page makes batches too, and its entries run at the same time', async () => {
  const url = `ws://127.0.0.1:${await freePort()}/rpc`
  await using _ = await listen(url)
  await using link = createWebClient({ url })
  const api = link.client(meeting)
  assert.deepEqual(await batch({ a: api.come.of(), b: api.come.of() }), {
    a: undefined,
    b: undefined,
  })
})
