import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { duplex, serverStream } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { arose, type Outcome, said, scriptedAttempts } from '../testing/scripted-attempts.ts'
import { retry } from './retry.ts'

const { methods } = defineContract('t', {
  watch: serverStream({ idempotent: true }),
  take: serverStream(),
  talk: duplex({ idempotent: true }),
})

const lost = arose('CONNECTION_LOST')
const draining = said('DRAINING')

/** A stream of some elements, which fails behind them if it is to. */
async function* elements(items: readonly unknown[], error?: CoveyError) {
  yield* items
  if (error !== undefined) throw error
}

function bench(script: readonly Outcome[], method: Call['method'] = methods.watch) {
  const scripted = scriptedAttempts(script)
  const { clock, handler, options } = scripted
  const call = new Call(method, undefined, { clock })
  const open = async () => (await retry(options)(handler)(call)) as AsyncIterable<unknown>
  /** All elements, and the error behind them. */
  const read = async () => {
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const item of await open()) seen.push(item)
    })().catch((error: unknown) => seen.push(error))
    await clock.advance(60_000)
    await reading
    return seen
  }
  return { ...scripted, call, open, read }
}

test('a stream that fails before its first element is opened elsewhere', async () => {
  for (const [error, atMs] of [
    [lost, 25],
    [draining, 0],
  ] as const) {
    const { read, asked, timesMs } = bench([elements([], error), elements([1, 2])])
    assert.deepEqual(await read(), [1, 2])
    assert.deepEqual([asked(), timesMs.at(-1)], [['a', 'b'], atMs])
  }
})

test('so is one that cannot be opened, and both count as one account', async () => {
  const { read, asked } = bench([lost, elements([], lost), elements([1])])
  assert.deepEqual(await read(), [1])
  assert.deepEqual(asked(), ['a', 'b', 'c'])
  const often = bench([lost, elements([], lost), elements([], lost), elements([1])])
  const [error] = (await often.read()) as [CoveyError]
  assert.deepEqual(error.details, { attempts: 3, gaveUp: 'attempts' })
  assert.equal(often.attempts.length, 3)
})

test('behind its first element, or its end, a stream fails as it does', async () => {
  const begun = bench([elements([1], lost), elements([2])])
  assert.deepEqual(await begun.read(), [1, lost])
  const drained = bench([elements([1], draining), elements([2])])
  assert.deepEqual(await drained.read(), [1, draining])
  const empty = bench([elements([]), elements([2])])
  assert.deepEqual(await empty.read(), [])
})

test('one that may have run and is not idempotent is not opened again', async () => {
  const { read, attempts } = bench([elements([], lost), elements([1])], methods.take)
  assert.deepEqual(await read(), [lost])
  assert.equal(attempts.length, 1)
  const refused = bench([elements([], draining), elements([1])], methods.take)
  assert.deepEqual(await refused.read(), [1])
})

test('a duplex is opened again like others', async () => {
  const { read } = bench([elements([], lost), elements([1])], methods.talk)
  assert.deepEqual(await read(), [1])
})

test('a reader that leaves leaves the stream that is open', async () => {
  for (const script of [[], [lost]]) {
    const left: string[] = []
    const watched = (async function* () {
      try {
        yield 1
        yield 2
      } finally {
        left.push('left')
      }
    })()
    const { open, clock } = bench([...script, watched])
    const iterator = (await Promise.race([open(), clock.advance(100).then(open)]))[
      Symbol.asyncIterator
    ]()
    const first = iterator.next()
    await clock.advance(100)
    assert.deepEqual(await first, { done: false, value: 1 })
    assert.deepEqual(await iterator.return?.('over'), { done: true, value: 'over' })
    assert.deepEqual(left, ['left'])
  }
})

test('a stream that was opened again ends with its call', async () => {
  const { open, call, clock, attempts } = bench([lost, elements([1, 2])])
  const opened = open()
  await clock.advance(100)
  const iterator = (await opened)[Symbol.asyncIterator]()
  await iterator.next()
  const reason = new CoveyError('CANCELLED', 'enough')
  call.cancel(reason)
  assert.equal(attempts[1]?.cancelled, reason)
})

test('elements that are asked for before the first is there come in order', async () => {
  const { open, clock } = bench([elements([], lost), elements([1, 2])])
  const iterator = (await open())[Symbol.asyncIterator]()
  const steps = Promise.all([iterator.next(), iterator.next(), iterator.next()])
  await clock.advance(100)
  assert.deepEqual(await steps, [
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: undefined },
  ])
})
