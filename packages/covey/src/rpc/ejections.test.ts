import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Balance, createBalancer } from '../balance/create-balancer.ts'
import { EjectionPolicy } from '../balance/ejection-policy.ts'
import type { Routing } from '../call/routing.ts'
import { CoveyError } from '../error/covey-error.ts'
import { channelBench } from '../testing/channel-bench.ts'
import { seededRandom } from '../testing/random.ts'

// Instances that answer quickly, and fail. Time is that of the test.

interface Wishes {
  readonly ids?: readonly string[]
  readonly balance?: Balance
  readonly callers?: number
  /** Time between two calls of a caller, in milliseconds. */
  readonly pauseMs?: number
  readonly routing?: () => Routing
  readonly policy?: EjectionPolicy
}

/** Callers who ask instances of which each fails a part of its calls, all within 2 ms. */
async function fleet(wishes: Wishes = {}) {
  const { ids = ['a', 'b', 'c'], balance = 'p2c', callers = 8, pauseMs = 8, routing } = wishes
  const random = seededRandom(7)
  const balancer = createBalancer(balance, random)
  const ejection = wishes.policy ?? new EjectionPolicy()
  const bench = channelBench({ balancer, random, ejection })
  const { clock, list, at, channel, call, log } = bench
  const fails: Record<string, number> = {}
  const code: Record<string, string> = {}
  const tell = (id: string) => {
    if (random() >= (fails[id] ?? 0)) return id
    throw new CoveyError(code[id] ?? 'INTERNAL', 'broken')
  }
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
  const serve = (id: string) => {
    at(id).answer = async () => {
      at(id).pending += 1
      await sleep(2)
      at(id).pending -= 1
      return tell(id)
    }
  }
  await list(...ids)
  for (const id of ids) serve(id)
  let counts = new Map<string, number>()
  for (let caller = 0; caller < callers; caller++) {
    void (async () => {
      for (;;) {
        const asked = call(routing && { routing: routing() })
        await channel.send(asked).catch(() => {})
        const { id } = asked.sentTo!.instance
        counts.set(id, (counts.get(id) ?? 0) + 1)
        await sleep(pauseMs * 2 * random())
      }
    })()
  }
  /** The share of each of the calls that end in the next so many milliseconds. */
  const shares = async (ms: number) => {
    counts = new Map()
    await clock.advance(ms)
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0)
    return Object.fromEntries(ids.map((id) => [id, (counts.get(id) ?? 0) / all]))
  }
  const state = (id: string) => channel.figures.instances.find((one) => one.id === id)!.state
  return { ...bench, fails, code, shares, state, serve, log }
}

for (const balance of ['p2c', 'leastPending', 'roundRobin', 'weighted'] as const) {
  for (const rate of [0.2, 1]) {
    test(`${balance}: an instance that fails ${rate * 100} % of its calls gets under 5 % of them within 2 seconds, and its share when it is well`, async () => {
      const policy = new EjectionPolicy({ maxMs: 20_000 })
      const { fails, shares } = await fleet({ balance, policy })
      const before = await shares(2_000)
      assert.ok(before.a! > 0.25, `${before.a} of the calls while all were well`)
      fails.a = rate
      await shares(2_000)
      const sick = await shares(2_000)
      assert.ok(sick.a! < 0.05, `${sick.a} of the calls`)
      const longer = await shares(30_000)
      assert.ok(longer.a! > 0 && longer.a! < 0.02, `${longer.a} of the calls of half a minute`)
      fails.a = 0
      await shares(27_000)
      const well = await shares(2_000)
      assert.ok(well.a! > 0.25, `${well.a} of the calls when it was well again`)
    })
  }
}

test('at few calls a dead instance is found out by a handful of them', async () => {
  const { fails, shares, at } = await fleet({ callers: 1, pauseMs: 100, balance: 'roundRobin' })
  await shares(60_000)
  const before = at('a').calls.length
  fails.a = 1
  await shares(30_000)
  assert.ok(at('a').calls.length - before < 20, `${at('a').calls.length - before} calls failed`)
})

test('while all fail alike, more or less, all are used', async () => {
  for (const rate of [0.05, 0.3, 1]) {
    const { fails, shares, log } = await fleet({ balance: 'roundRobin' })
    await shares(1_000)
    for (const id of ['a', 'b', 'c']) fails[id] = rate
    const all = await shares(30_000)
    for (const share of Object.values(all)) assert.ok(share > 0.3, JSON.stringify(all))
    assert.deepEqual(log.lines, [])
  }
})

test('never more than half are left out, and of two one', async () => {
  const four = await fleet({ ids: ['a', 'b', 'c', 'd'], balance: 'roundRobin' })
  await four.shares(1_000)
  Object.assign(four.fails, { a: 1, b: 1, c: 0.9 })
  await four.shares(2_000)
  const shares = await four.shares(2_000)
  assert.ok(shares.a! + shares.b! < 0.05 && shares.c! > 0.4, JSON.stringify(shares))
  const two = await fleet({ ids: ['a', 'b'] })
  await two.shares(1_000)
  two.fails.b = 0.2
  await two.shares(2_000)
  const { b } = await two.shares(2_000)
  assert.ok(b! < 0.05, `${b}`)
})

test('when half of the calls to the others fail, all are used, before the time of the one is over', async () => {
  const { fails, shares, log } = await fleet({ balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 1
  await shares(2_000)
  Object.assign(fails, { b: 0.3, c: 0.3 })
  await shares(20_000)
  assert.equal((await shares(1_000)).a! < 0.05, true)
  assert.equal(log.lines.length, 1, 'that is not enough')
  Object.assign(fails, { b: 0.7, c: 0.7 })
  await shares(3_000)
  const all = await shares(20_000)
  for (const share of Object.values(all)) assert.ok(share > 0.3, JSON.stringify(all))
  assert.equal(log.lines[1]!.message, 'an instance takes calls again: the others fail as well')
  assert.equal(log.lines.length, 2, 'it is not left out again')
  Object.assign(fails, { b: 0, c: 0 })
  await shares(3_000)
  assert.ok((await shares(1_000)).a! < 0.05)
})

test('when too few others are left it is used again, at once', async () => {
  const { fails, shares, list, at, log } = await fleet({ balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 1
  await shares(3_000)
  assert.ok((await shares(100)).a === 0)
  at('b').stall()
  assert.ok((await shares(1_000)).a === 0, 'one of two may be left out')
  await at('b').wake()
  await list('a')
  at('b').lose()
  at('c').lose()
  assert.ok((await shares(100)).a! > 0.9)
  assert.equal(log.lines.at(-1)!.message, 'an instance takes calls again: too few others are left')
})

test('answers that are no fault of the instance do not count, nor do calls that were cancelled', async () => {
  for (const code of ['USER_GONE', 'NOT_FOUND', 'INVALID_INPUT', 'CANCELLED', 'UNIMPLEMENTED']) {
    const { fails, shares, code: codes, log } = await fleet({ balance: 'roundRobin' })
    fails.a = 1
    codes.a = code
    const { a } = await shares(5_000)
    assert.ok(a! > 0.3, `${code}: ${a}`)
    assert.deepEqual(log.lines, [])
  }
})

for (const code of ['UNAVAILABLE', 'CONNECTION_LOST', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED']) {
  test(`${code} counts as a failure of the instance`, async () => {
    const { fails, shares, code: codes } = await fleet({ balance: 'roundRobin' })
    fails.a = 0.5
    codes.a = code
    await shares(2_000)
    const { a } = await shares(2_000)
    assert.ok(a! < 0.05, `${a}`)
  })
}

test('a key keeps its instance, unless that is left out; then the key comes back to it', async () => {
  let turn = 0
  const keys = Array.from({ length: 60 }, (_, n) => `user-${n}`)
  const routing = () => ({ key: keys[turn++ % keys.length]! })
  const { fails, shares, ask, clock } = await fleet({ routing })
  const owners = async () => {
    const asked = keys.map((key) => ask({ routing: { key } }).catch(() => '?'))
    await clock.advance(2)
    return Promise.all(asked)
  }
  const before = await owners()
  await shares(1_000)
  fails.a = 1
  await shares(2_000)
  const meanwhile = await owners()
  for (const [index, owner] of before.entries()) {
    if (owner === 'a') assert.notEqual(meanwhile[index], 'a')
    else assert.equal(meanwhile[index], owner)
  }
  fails.a = 0
  await shares(30_000)
  assert.deepEqual(await owners(), before)
})

test('a key of another instance does not try one that was left out', async () => {
  const { fails, shares, at, call, channel, clock } = await fleet({ callers: 0 })
  const ask = async (routing?: Routing) => {
    const asked = call(routing && { routing })
    const result = channel.send(asked).catch(() => {})
    await clock.advance(2)
    await result
    return asked.sentTo!.instance.id
  }
  const keys = Array.from({ length: 30 }, (_, n) => `user-${n}`)
  const others: string[] = []
  for (const key of keys) if ((await ask({ key })) !== 'a') others.push(key)
  fails.a = 1
  for (let n = 0; n < 60; n++) await ask()
  await shares(20_000)
  const before = at('a').calls.length
  for (const key of others) await ask({ key })
  assert.equal(at('a').calls.length, before)
  await ask()
  assert.equal(at('a').calls.length, before + 1)
})

test('calls that ask for it get it all the same, and a call that failed at all others tries it', async () => {
  const { fails, shares, ask, at, clock } = await fleet({ ids: ['a', 'b'], balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 1
  await shares(2_000)
  fails.a = 0
  const asked = ask({ routing: { instance: 'a' } })
  await clock.advance(2)
  assert.equal(await asked, 'a')
  at('b').answer = async () => {
    throw new CoveyError('UNAVAILABLE', 'loading')
  }
  const again = ask()
  await clock.advance(2)
  assert.equal(await again, 'a')
})

test('it is left out for longer each time, up to a bound, and single calls try it', async () => {
  const policy = new EjectionPolicy({ baseMs: 1_000, maxMs: 4_000 })
  const { fails, shares, at, log } = await fleet({ policy, balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 1
  await shares(2_000)
  assert.equal(log.lines.length, 1)
  const tried: number[] = []
  for (let ms = 0; ms < 20_000; ms += 100) {
    const before = at('a').calls.length
    await shares(100)
    if (at('a').calls.length > before) tried.push(ms)
    assert.ok(at('a').calls.length - before <= 1)
  }
  const gaps = tried.slice(1).map((ms, index) => ms - tried[index]!)
  assert.ok(gaps.length >= 4, `${gaps}`)
  for (const gap of gaps.slice(1)) assert.ok(gap >= 3_200 && gap <= 5_000, `${gaps}`)
  assert.equal(log.lines.length, 1, 'tries in vain are not told')
})

test('a new connection is tried at once, for it may be a new process', async () => {
  const policy = new EjectionPolicy({ baseMs: 600_000, maxMs: 3_600_000 })
  const { fails, shares, at, serve } = await fleet({ policy, balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 1
  await shares(2_000)
  fails.a = 0
  const old = at('a')
  old.lose()
  for (let ms = 0; at('a') === old; ms += 10) {
    assert.ok(ms < 20_000)
    await shares(10)
  }
  serve('a')
  await shares(4_000)
  const { a } = await shares(1_000)
  assert.ok(a! > 0.25, `${a}`)
})

/** Instance `a` of three is left out, and tells that it is tried when the next call comes. Its answers are in the hands of the test. */
async function aboutToBeTried() {
  const bench = await fleet({ callers: 0, balance: 'roundRobin' })
  const { at, call, channel, clock, fails, state } = bench
  const answers: PromiseWithResolvers<unknown>[] = []
  /** Sends a call, and tells to whom. */
  const send = async () => {
    const sent = call()
    channel.send(sent).catch(() => {})
    await clock.advance(2)
    return sent.sentTo!.instance.id
  }
  const hold = () => {
    at('a').answer = () => {
      const answer = Promise.withResolvers<unknown>()
      answers.push(answer)
      return answer.promise
    }
  }
  hold()
  while (answers.length === 0) await send()
  bench.serve('a')
  fails.a = 1
  for (let n = 0; n < 60; n++) await send()
  await clock.advance(10_000)
  assert.match(state('a'), /being tried$/)
  hold()
  return { ...bench, answers, send }
}

test('what comes of calls from before it was left out says nothing of how it is now', async () => {
  const { answers, send, state, clock } = await aboutToBeTried()
  assert.equal(await send(), 'a')
  assert.equal(answers.length, 2)
  answers[0]!.reject(new CoveyError('INTERNAL', 'late'))
  await clock.advance(0)
  assert.match(state('a'), /being tried$/)
})

test('a call that tries it and is cancelled, or during which it stands still, says nothing: another one tries it', async () => {
  const { answers, send, state, clock, at } = await aboutToBeTried()
  assert.equal(await send(), 'a')
  for (let n = 0; n < 6; n++) assert.notEqual(await send(), 'a', 'one at a time')
  answers[1]!.reject(new CoveyError('CANCELLED', 'enough'))
  await clock.advance(0)
  assert.equal(await send(), 'a')
  at('a').stall()
  await at('a').wake()
  answers[2]!.reject(new CoveyError('INTERNAL', 'late'))
  await clock.advance(0)
  assert.equal(await send(), 'a')
  answers[3]!.reject(new CoveyError('NOT_FOUND', 'no user 7'))
  await clock.advance(100)
  assert.equal(await send(), 'a', 'that was an answer')
  assert.match(state('a'), /being tried$/)
  answers[4]!.reject(new CoveyError('INTERNAL', 'still broken'))
  await clock.advance(0)
  assert.match(state('a'), /tried again in \d+ ms$/)
})

test('what it is can be seen, and the log tells when it begins and ends', async () => {
  const { fails, shares, state, log, code } = await fleet({ balance: 'roundRobin' })
  await shares(1_000)
  fails.a = 0.5
  code.a = 'UNAVAILABLE'
  await shares(2_000)
  assert.match(
    state('a'),
    /^ejected: \d\d % of \d+ calls failed \(UNAVAILABLE\), of the others' 0 %; tried again in \d+ ms$/,
  )
  assert.equal(state('b'), 'open')
  const [line] = log.lines
  assert.equal(log.lines.length, 1)
  assert.equal(line!.level, 'warn')
  assert.match(
    line!.message,
    /^an instance is left out: \d\d % of \d+ calls failed \(UNAVAILABLE\), of the others' 0 %$/,
  )
  const { forMs, ...fields } = line!.fields
  assert.deepEqual(fields, { service: 'users', instance: 'a' })
  assert.ok((forMs as number) >= 4_000 && (forMs as number) <= 6_000)
  fails.a = 0
  for (let ms = 0; !/being tried/.test(state('a')); ms += 50) {
    assert.ok(ms < 6_000)
    await shares(50)
  }
  await shares(3_000)
  assert.equal(state('a'), 'open')
  assert.deepEqual(log.lines.slice(1), [
    {
      level: 'info',
      fields: { service: 'users', instance: 'a' },
      message: 'an instance takes calls again: calls that tried it were answered',
    },
  ])
})

test('it can be switched off, and what was left out is used again then', async () => {
  const policy = new EjectionPolicy({ enabled: false })
  const { fails, shares, log } = await fleet({ policy, balance: 'roundRobin' })
  fails.a = 1
  assert.ok((await shares(5_000)).a! > 0.3)
  assert.deepEqual(log.lines, [])
  policy.change({ enabled: true })
  await shares(2_000)
  assert.equal((await shares(1_000)).a, 0)
  policy.change({ enabled: false })
  await shares(6_000)
  assert.ok((await shares(1_000)).a! > 0.3)
})

test('closing leaves no timer of it behind', async () => {
  const { fails, shares, channel, clock, call } = await fleet({ callers: 0, balance: 'roundRobin' })
  fails.a = 1
  for (let n = 0; n < 120; n++) {
    void channel.send(call()).catch(() => {})
    await shares(10)
  }
  assert.equal(clock.waiting, 1, 'the time for which it is left out')
  await channel.close()
  assert.equal(clock.waiting, 0)
})
