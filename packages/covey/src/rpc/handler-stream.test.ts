import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { readdir, readlink } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { TimerWheel } from '../base/timer-wheel.ts'
import { Call } from '../call/call.ts'
import { defineService } from '../contract/define-service.ts'
import { CoveyError } from '../error/covey-error.ts'
import { silentLog } from '../observe/log.ts'
import { fourKinds, items } from '../testing/four-kinds.ts'
import { lineTransports, openLine } from '../testing/transport-line.ts'
import { until } from '../testing/until.ts'
import { createDispatcher } from './dispatcher.ts'

// A stream that a handler has opened is closed however early its call is given up.

const enough = new CoveyError('CANCELLED', 'enough')

/** Streams that count how many of them are open. */
class Taps {
  opened = 0
  closed = 0
  asked = 0

  open(): AsyncIterable<number> {
    this.opened += 1
    const taps = this
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          taps.asked += 1
          return { done: false, value: taps.asked }
        },
        async return() {
          taps.closed += 1
          return { done: true, value: undefined }
        },
      }),
    }
  }
}

/** A service whose streams come from `open`. */
function serviceOf(open: (call: Call) => unknown) {
  const unused = () => assert.fail('not called')
  return defineService(fourKinds, {
    ask: (input) => input,
    items: (_, call) => open(call as unknown as Call) as AsyncIterable<unknown>,
    upload: unused,
    talk: unused,
  })
}

/** Descriptors of this process that lead to a file. */
async function openFiles(path: string): Promise<number> {
  const links = (await readdir('/proc/self/fd')).map((fd) =>
    readlink(`/proc/self/fd/${fd}`).catch(() => ''),
  )
  return (await Promise.all(links)).filter((link) => link === path).length
}

const path = import.meta.filename

for (const name of Object.keys(lineTransports)) {
  test(`${name}: a stream is closed whose call was given up before its handler gave it`, async () => {
    const taps = new Taps()
    let handlers = 0
    const line = await openLine(
      name,
      serviceOf(async (call) => {
        handlers += 1
        await new Promise<void>((resolve) => call.onCancel(() => setImmediate(resolve)))
        return taps.open()
      }),
    )
    await using _ = line
    const call = new Call(items, undefined)
    const opened = line.connection.invoke(call).catch(() => {})
    await until(() => handlers === 1, 'the handler runs')
    call.cancel(enough)
    await until(() => taps.opened === 1 && taps.closed === 1, 'it was closed')
    assert.equal(taps.asked, 0)
    await opened
    // The connection goes on.
    assert.equal(await line.connection.invoke(new Call(fourKinds.methods.ask, 'x')), 'x')
  })

  test(`${name}: files stay open of no call that was given up at once`, async () => {
    const line = await openLine(
      name,
      serviceOf(() => createReadStream(path)),
    )
    await using _ = line
    for (let round = 0; round < 20; round++) {
      const call = new Call(items, undefined)
      // Its frame and that of the cancel leave in one write.
      const opened = line.connection.invoke(call).catch(() => {})
      call.cancel(enough)
      await opened
    }
    assert.equal(await line.connection.invoke(new Call(fourKinds.methods.ask, 'x')), 'x')
    await until(async () => (await openFiles(path)) === 0, 'all are closed')
  })

  test(`${name}: a handler is not begun whose call was given up while middleware waited`, async () => {
    const taps = new Taps()
    let waiting = 0
    const line = await openLine(
      name,
      serviceOf(() => taps.open()),
      {
        middleware: [
          (next) => async (call) => {
            if (call.method !== items) return next(call)
            waiting += 1
            await new Promise<void>((resolve) => call.onCancel(() => resolve()))
            waiting -= 1
            return next(call)
          },
        ],
      },
    )
    await using _ = line
    const call = new Call(items, undefined)
    const opened = line.connection.invoke(call).catch(() => {})
    await until(() => waiting === 1, 'it waits')
    call.cancel(enough)
    await until(() => waiting === 0, 'it was told')
    await opened
    assert.equal(await line.connection.invoke(new Call(fourKinds.methods.ask, 'x')), 'x')
    assert.equal(taps.opened, 0)
  })
}

/** What a dispatcher gives for a call of a stream. */
async function serve(open: () => unknown) {
  const dispatcher = createDispatcher([serviceOf(open)], {
    instance: 'i',
    wheel: new TimerWheel(systemClock),
    log: silentLog,
    // As a user may write it: a generator that is not begun hears of nothing.
    middleware: [
      (next) => async (call) => {
        const stream = await next(call)
        return (async function* () {
          yield* stream as AsyncIterable<unknown>
        })()
      },
    ],
  })
  const call = new Call(items, undefined)
  const stream = (await dispatcher.serve(call)) as AsyncIterable<unknown>
  return { call, iterator: stream[Symbol.asyncIterator]() }
}

test('a stream that nobody has begun to read is closed with its call, once', async () => {
  const taps = new Taps()
  const { call, iterator } = await serve(() => taps.open())
  call.cancel(enough)
  await until(() => taps.closed === 1, 'it was closed')
  await assert.rejects(iterator.next(), enough)
  assert.deepEqual([taps.closed, taps.asked], [1, 0])
})

test('one that is being read is closed by its reader alone', async () => {
  const taps = new Taps()
  const { call, iterator } = await serve(() => taps.open())
  assert.equal((await iterator.next()).value, 1)
  call.cancel(enough)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(taps.closed, 0)
  await iterator.return?.(undefined)
  assert.equal(taps.closed, 1)
})

test('what cannot be closed, or fails at it, harms nobody', async () => {
  const fails = () => ({
    [Symbol.asyncIterator]: () => ({
      next: () => assert.fail('not asked'),
      return: () => Promise.reject(new Error('no')),
    }),
  })
  const bare = () => ({ [Symbol.asyncIterator]: () => ({ next: () => assert.fail('not asked') }) })
  const broken = () => ({
    [Symbol.asyncIterator]: () => {
      throw new Error('no')
    },
  })
  for (const open of [fails, bare, broken, () => [1], () => undefined]) {
    const { call } = await serve(open)
    call.cancel(enough)
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('streams of Node and of the web are closed as well', async () => {
  const node = Readable.from(['a'])
  let cancelled = 0
  const web = new ReadableStream({
    cancel() {
      cancelled += 1
    },
  })
  for (const stream of [node, web]) {
    const { call } = await serve(() => stream)
    call.cancel(enough)
  }
  await until(() => node.destroyed && cancelled === 1, 'both are closed')
})
