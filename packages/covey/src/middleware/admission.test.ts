import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import type { Handler } from '../call/handler.ts'
import type { MethodRef } from '../call/method-ref.ts'
import { CoveyError } from '../error/covey-error.ts'
import {
  type SimulatedLoad,
  type SimulatedOutcome,
  SimulatedServer,
} from '../testing/simulated-load.ts'
import type { SimulatedLoop } from '../testing/simulated-loop.ts'
import { Admission, admission } from './admission.ts'

/** Calls a second that handlers of 2 ms leave room for. */
const capacity = 480

async function run(load: SimulatedLoad, admitting = true): Promise<SimulatedOutcome> {
  const server = new SimulatedServer(admitting)
  const outcome = server.offer(load)
  await server.loop.run()
  assert.equal(outcome.good + outcome.refused + outcome.late, outcome.sent, 'each has an answer')
  return outcome
}

/** Good calls a second among those that were sent from `fromMs` on. */
function goodput({ goodAtMs }: SimulatedOutcome, fromMs: number, untilMs: number): number {
  const count = goodAtMs.filter((atMs) => atMs >= fromMs && atMs < untilMs).length
  return (count * 1_000) / (untilMs - fromMs)
}

const burn = async (loop: SimulatedLoop) => loop.spend(2)
/** As behind middleware that awaits something: no time is used when it is begun. */
const burnBehindAwait = async (loop: SimulatedLoop) => {
  await undefined
  loop.spend(2)
}
const burnAfter = (ms: number) => async (loop: SimulatedLoop) => {
  await loop.wait(ms)
  loop.spend(2)
}

test('ten times what it can do: it does what it can, and refuses the rest at once', async () => {
  const load = { untilMs: 4_000, perSecond: 5_000 }
  const outcome = await run(load)
  assert.ok(goodput(outcome, 500, 4_000) > 0.95 * capacity, `${goodput(outcome, 500, 4_000)}/s`)
  assert.equal(outcome.late, 0, 'nothing is begun in vain')
  assert.ok(Math.max(...outcome.latencies) < 350)
  const naive = await run({ ...load, untilMs: 2_000 }, false)
  assert.ok(goodput(naive, 500, 2_000) < 0.1 * capacity, 'a server without it is lost')
})

test('forty times', async () => {
  const outcome = await run({ untilMs: 3_000, perSecond: 20_000 })
  // With reading it a refusal takes 5 µs in this simulation, which makes 10 % of the time; the benchmark tells what it takes.
  assert.ok(goodput(outcome, 500, 3_000) > 0.9 * capacity, `${goodput(outcome, 500, 3_000)}/s`)
  assert.equal(outcome.late, 0)
})

test('handlers that use the processor behind an await', async () => {
  const load = { untilMs: 4_000, perSecond: 5_000, handler: burnBehindAwait }
  const outcome = await run(load)
  assert.ok(goodput(outcome, 1_000, 4_000) > 0.9 * capacity, `${goodput(outcome, 1_000, 4_000)}/s`)
})

test('handlers that wait for something and use the processor then', async () => {
  for (const [waitMs, share] of [
    [5, 0.85],
    [30, 0.65],
    [100, 0.65],
  ] as const) {
    const outcome = await run({ untilMs: 5_000, perSecond: 5_000, handler: burnAfter(waitMs) })
    const reached = goodput(outcome, 2_500, 5_000) / capacity
    assert.ok(reached > share, `${waitMs} ms: ${reached}`)
  }
})

test('forty times too many at once, of handlers that wait first', async () => {
  for (const [waitMs, lostMs, share] of [
    [0, 0, 0.85],
    [5, 0, 0.7],
    [30, 1_500, 0.5],
  ] as const) {
    const handler = waitMs === 0 ? burnBehindAwait : burnAfter(waitMs)
    const outcome = await run({ untilMs: 4_000, perSecond: 20_000, handler })
    const reached = goodput(outcome, lostMs, 4_000) / capacity
    assert.ok(reached > share, `${waitMs} ms: ${reached}`)
  }
})

test('what it can do it does, as if nobody looked: no call is refused', async () => {
  for (const handler of [burn, burnBehindAwait, burnAfter(5), burnAfter(30), burnAfter(100)]) {
    for (const perSecond of [300, 400, 440]) {
      const outcome = await run({ untilMs: 8_000, perSecond, handler })
      assert.deepEqual([outcome.refused, outcome.late], [0, 0], `${perSecond}/s`)
    }
  }
})

test('after the surge all is as before within a second', async () => {
  for (const handler of [burn, burnBehindAwait, burnAfter(30)]) {
    const server = new SimulatedServer(true)
    server.offer({ untilMs: 3_000, perSecond: 5_000, handler })
    const after = server.offer({ fromMs: 4_000, untilMs: 8_000, perSecond: 200, handler })
    await server.loop.run()
    assert.deepEqual([after.refused, after.late], [0, 0])
    assert.equal(server.gate!.report().waiting, 0)
  }
})

test('a hundred surges one after the other, and all is as before within a second after each', async () => {
  const server = new SimulatedServer(true)
  const handlers = [burn, burnBehindAwait, burnAfter(30)]
  const outcomes: SimulatedOutcome[] = []
  for (let fromMs = 0; outcomes.length < 100; fromMs += 2_000) {
    const load = { connections: 8, handler: handlers[outcomes.length % handlers.length]! }
    server.offer({ ...load, fromMs, untilMs: fromMs + 500, perSecond: 5_000 })
    const after = { fromMs: fromMs + 1_500, untilMs: fromMs + 2_000, perSecond: 300, name: 'd' }
    outcomes.push(server.offer({ ...load, ...after }))
  }
  await server.loop.run()
  assert.ok(server.gate!.report().refused > 100_000, 'they were surges')
  for (const [index, { good, sent }] of outcomes.entries()) {
    assert.ok(good >= 0.99 * sent, `${good} of ${sent} after surge ${index + 1}`)
  }
})

test('once the surge is over there is no limit any more, and nobody waits', async () => {
  for (const handler of [burnBehindAwait, burnAfter(30)]) {
    const server = new SimulatedServer(true)
    const { loop } = server
    const gate = server.gate!
    server.offer({ untilMs: 3_000, perSecond: 5_000, handler })
    const after = server.offer({ fromMs: 4_000, untilMs: 64_000, perSecond: 200, handler })
    let early = gate.report()
    let asked = 0
    loop.arrive(6_000, 'look', () => {
      early = gate.report()
      asked = loop.asked
    })
    await loop.run()
    assert.ok(early.waited > 0, 'there was a limit')
    assert.equal(gate.report().waited, early.waited)
    assert.ok(loop.asked - asked < 2.5 * after.sent, `${loop.asked - asked} turns were asked for`)
  }
})

test('one pause limits nobody for long, however seldom calls come', async () => {
  const server = new SimulatedServer(true)
  const { loop } = server
  const deadlineMs = 2_000
  const some = server.offer({ fromMs: 1_000, untilMs: 1_000.01, perSecond: 2_000_000, deadlineMs })
  loop.arrive(1_000.01, 'pause', () => loop.spend(400))
  const seldom = server.offer({ fromMs: 1_000, untilMs: 600_000, perSecond: 2, deadlineMs })
  await loop.run()
  assert.deepEqual([some.good, seldom.good], [some.sent, seldom.sent])
  assert.ok(server.gate!.report().waited < 40, `${server.gate!.report().waited} waited`)
})

test('what a process asks of itself does not make its calls cheaper', async () => {
  const load = { untilMs: 4_000, perSecond: 5_000, handler: burnBehindAwait }
  const without = await run(load)
  const outcome = await run({ ...load, localCalls: 5 })
  const { waiting, lateMs } = outcome.refusal!.details as Record<string, number>
  assert.ok(lateMs! / waiting! > 1.9, `${lateMs} ms for ${waiting} calls of 2 ms`)
  assert.ok(outcome.late < without.late + 50, `${outcome.late} late, not ${without.late}`)
  assert.ok(goodput(outcome, 1_000, 4_000) > 0.95 * goodput(without, 1_000, 4_000))
})

test('handlers that only wait are never refused, however many there are', async () => {
  const handler = (loop: SimulatedLoop) => loop.wait(2_000)
  const outcome = await run({ untilMs: 250, perSecond: 20_000, deadlineMs: 5_000, handler })
  assert.equal(outcome.good, outcome.sent)
  const late = Math.max(...outcome.latencies) - 2_000
  assert.ok(late < 1_000, `${late} ms later than it takes`)
})

test('a slow turn or a garbage collection sheds nothing', async () => {
  for (const pauseMs of [150, 300, 600]) {
    for (const handler of [burn, burnBehindAwait, burnAfter(5)]) {
      const server = new SimulatedServer(true)
      const outcome = server.offer({ untilMs: 6_000, perSecond: 150, deadlineMs: 2_000, handler })
      for (let atMs = 1_000; atMs < 6_000; atMs += 1_000) {
        server.loop.arrive(atMs, 'pause', () => server.loop.spend(pauseMs))
      }
      await server.loop.run()
      assert.deepEqual([outcome.refused, outcome.late], [0, 0], `${pauseMs} ms`)
    }
  }
})

test('a burst that can be done in time is done', async () => {
  const server = new SimulatedServer(true)
  const burst = server.offer({ untilMs: 1, perSecond: 400_000, connections: 1, deadlineMs: 5_000 })
  await server.loop.run()
  assert.ok(burst.sent > 350)
  assert.equal(burst.good, burst.sent)
})

test('one connection that sends too much does not take the place of others', async () => {
  const server = new SimulatedServer(true)
  const flood = { name: 'a', connections: 1, untilMs: 4_000, perSecond: 5_000 }
  const flooding = server.offer(flood)
  const others = server.offer({ name: 'b', connections: 10, untilMs: 4_000, perSecond: 200 })
  await server.loop.run()
  assert.ok(others.good > 0.97 * others.sent, `${others.good} of ${others.sent}`)
  assert.ok(goodput(flooding, 500, 4_000) > 0.4 * capacity, 'what is left is for the other one')
})

test('more connections than can be served have equal chances', async () => {
  for (const [connections, perSecond] of [
    [100, 50],
    // More than can wait.
    [300, 50],
  ] as const) {
    const server = new SimulatedServer(true)
    const load = { connections: 1, untilMs: 10_000, perSecond }
    const outcomes = Array.from({ length: connections }, (_, index) =>
      server.offer({ ...load, name: `c${index}-` }),
    )
    await server.loop.run()
    const goods = outcomes.map(({ good }) => good)
    const fair = goods.reduce((sum, good) => sum + good) / goods.length
    const worst = Math.min(...goods)
    // Though the same ones are read first in each turn.
    assert.ok(worst > 0.2 * fair, `the worst ${worst} of ${fair}`)
  }
})

test('a refusal says why, and when to come again', async () => {
  const { refusal } = await run({ untilMs: 1_000, perSecond: 5_000 })
  assert.match(
    refusal!.message,
    /^instance shop-1 is overloaded: \d+ calls wait to be begun, for \d+ ms; this one was not run$/,
  )
  const { rule, waiting, lateMs, retryAfterMs } = refusal!.details as Record<string, number>
  assert.equal(rule, 'admission')
  assert.ok(waiting! > 50 && waiting! <= 1_000, `${waiting} wait`)
  assert.ok(lateMs! > 100 && lateMs! < 1_000, `${lateMs} ms`)
  assert.equal(retryAfterMs, lateMs)
})

const method: MethodRef = {
  service: 'a',
  name: 'b',
  path: 'a.b',
  kind: 'unary',
  idempotent: false,
}

/** A gate whose turns end when the test says so. */
function bench(maxWaitMs = 1_000) {
  const server = new SimulatedServer(false)
  const { loop } = server
  const turns: (() => void)[] = []
  const soon = (run: () => void) => void turns.push(run)
  const gate = new Admission({ instance: 'i', maxWaitMs, clock: loop.clock, soon })
  const begun: unknown[] = []
  const call = (input: unknown, more: { protocol?: string; deadlineMs?: number } = {}) => {
    const { protocol = 'tcp', deadlineMs } = more
    const peer = { protocol, address: '', connectionId: 'c', identity: undefined }
    const { clock } = loop
    return new Call(method, input, { clock, peer, deadlineMs, openedMs: loop.nowMs })
  }
  const costing = (costMs: number): Handler => {
    const serve = admission(gate)(async ({ input }) => {
      begun.push(input)
      loop.spend(costMs)
    })
    return (call) => {
      const result = serve(call)
      const end = () => gate.ended(call)
      result.then(end, end)
      return result
    }
  }
  const endTurn = () => {
    for (const run of turns.splice(0)) run()
  }
  return { loop, gate, begun, call, costing, endTurn, turns }
}

test('calls are begun at once for 20 ms of a turn, then in the next ones, 20 ms each', async () => {
  const { begun, call, costing, endTurn, gate } = bench()
  const serve = costing(5)
  const outcomes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((input) => serve(call(input)))
  assert.deepEqual(begun, [1, 2, 3, 4])
  assert.equal(gate.report().waiting, 6)
  endTurn()
  assert.deepEqual(begun, [1, 2, 3, 4, 5, 6, 7, 8])
  endTurn()
  assert.equal(begun.length, 8, 'the answers leave')
  endTurn()
  assert.equal(begun.length, 10)
  await Promise.all(outcomes)
  assert.deepEqual(gate.report(), { waiting: 0, waited: 6, refused: 0, maxWaitedMs: 25 })
})

test('who comes while others wait gets in line behind them', () => {
  const { begun, call, costing, endTurn } = bench()
  const serve = costing(15)
  for (const input of [1, 2, 3]) void serve(call(input))
  assert.deepEqual(begun, [1, 2])
  void serve(call(4))
  endTurn()
  assert.deepEqual(begun, [1, 2, 3, 4])
})

test('when nothing is left to do, nothing is scheduled any more, and calls are begun as they come', () => {
  const { begun, call, costing, endTurn, turns, loop } = bench()
  const serve = costing(5)
  for (let input = 0; input < 6; input++) void serve(call(input))
  for (let turn = 0; turn < 10; turn++) endTurn()
  assert.deepEqual([begun.length, turns.length], [6, 0])
  void costing(0)(call('next'))
  assert.deepEqual([begun.at(-1), turns.length], ['next', 0], 'not even watched, right behind')
  loop.spend(1_000)
  void costing(0)(call('later'))
  assert.equal(begun.at(-1), 'later')
  for (let turn = 0; turn < 5; turn++) endTurn()
  assert.equal(turns.length, 0)
})

test('what is given up while it waits is not begun', async () => {
  const { begun, call, costing, endTurn } = bench()
  const serve = costing(25)
  void serve(call(1))
  const waiting = call(2)
  const outcome = serve(waiting)
  waiting.cancel(new CoveyError('CANCELLED', 'no longer wanted'))
  endTurn()
  await assert.rejects(outcome, { code: 'CANCELLED', message: 'no longer wanted' })
  assert.deepEqual(begun, [1])
})

test('what was given up while it waited says nothing of what calls cost', async () => {
  const { call, costing, endTurn, gate, loop } = bench()
  const serve = costing(5)
  const calls = Array.from({ length: 100 }, (_, input) => call(input))
  const outcomes = Promise.allSettled(calls.map((one) => serve(one)))
  for (const one of calls.slice(4, 90)) one.cancel(new CoveyError('CANCELLED', 'no longer wanted'))
  for (let turn = 0; turn < 2; turn++) {
    endTurn()
    await new Promise(setImmediate)
  }
  assert.equal(gate.report().waiting, 6)
  // It may wait for half of its time.
  const next = serve(call('next', { deadlineMs: loop.nowMs + 50 }))
  for (let turn = 0; turn < 6; turn++) endTurn()
  await assert.rejects(next, ({ details }: CoveyError) => {
    const { waiting, lateMs } = details as Record<string, number>
    return waiting === 6 && lateMs! >= 28
  })
  await outcomes
})

test('what could not end in time is refused when its turn comes', async () => {
  const { begun, call, costing, endTurn, gate, loop } = bench()
  const serve = costing(25)
  void serve(call(1))
  const outcome = serve(call(2, { deadlineMs: loop.nowMs + 60 }))
  loop.spend(40)
  endTurn()
  await assert.rejects(outcome, { code: 'RESOURCE_EXHAUSTED' })
  assert.deepEqual([begun, gate.report().refused], [[1], 1])
})

test('calls of this process to itself are begun at once', () => {
  const { begun, call, costing } = bench()
  const serve = costing(25)
  void serve(call(1))
  void serve(call(2))
  void serve(call(3, { protocol: 'memory' }))
  assert.deepEqual(begun, [1, 3])
})

test('nobody waits for longer than the setting says', async () => {
  const { call, costing, endTurn, gate } = bench(100)
  const serve = costing(10)
  const outcomes = Array.from({ length: 60 }, (_, input) => serve(call(input)))
  for (let turn = 0; turn < 60; turn++) endTurn()
  const settled = await Promise.allSettled(outcomes)
  const refused = settled.filter(({ status }) => status === 'rejected').length
  assert.ok(refused > 30, `${refused} of 60`)
  assert.ok(gate.report().maxWaitedMs < 200, `${gate.report().maxWaitedMs} ms`)
})

test('a call that waited runs where it came from', async () => {
  const { call, endTurn, gate, loop } = bench()
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const serve = admission(gate)(async () => {
    seen.push(storage.getStore())
    loop.spend(25)
  })
  const one = storage.run('first', () => serve(call(1)))
  const two = storage.run('second', () => serve(call(2)))
  storage.run('third', endTurn)
  await Promise.all([one, two])
  assert.deepEqual(seen, ['first', 'second'])
})
