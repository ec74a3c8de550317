import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Call } from '../call/call.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { clientOver, lineWheel } from '../testing/tcp-line.ts'
import { lineTransports, openLine, type TransportLine } from '../testing/transport-line.ts'
import { until } from '../testing/until.ts'
import type { Connection } from '../transport/transport.ts'

// Handlers that fail in every way, in each of the four kinds of calls, over each transport.

const contract = defineContract('bad', {
  unary: unary({ input: z.string(), output: z.any() }),
  serverStream: serverStream({ input: z.string(), output: z.any() }),
  clientStream: clientStream({ input: z.string(), output: z.any() }),
  duplex: duplex({ input: z.string(), output: z.any() }),
})

const never = () => new Promise<never>(() => {})

/** How a handler may fail; a stream has given one element before. */
const ways: Record<string, () => unknown> = {
  'throws an Error': () => {
    throw new Error('a secret of the inside')
  },
  'throws a text': () => {
    throw 'a secret of the inside'
  },
  'throws nothing': () => {
    throw undefined
  },
  'throws an object that cannot be read': () => {
    throw new Proxy({}, { get: () => assert.fail('read') })
  },
  'rejects later': async () => {
    await new Promise((resolve) => setImmediate(resolve))
    throw null
  },
  'returns what cannot be sent': () => ({ run: () => 1 }),
  'never settles': never,
}

/** Codes other than INTERNAL. */
const expected: Record<string, string> = {
  'returns what cannot be sent': 'UNENCODABLE',
  'never settles': 'DEADLINE_EXCEEDED',
}

/** Of a handler that has given no stream yet. */
const laterExpected: Record<string, string> = { 'never settles': 'DEADLINE_EXCEEDED' }

type Handlers = Parameters<typeof defineService<'bad', (typeof contract)['methods']>>[1]

const fail = (how: string) => ways[how]!()

async function first(items: AsyncIterable<string>): Promise<string> {
  for await (const item of items) return item
  return ''
}

const inside: Handlers = {
  unary: (how) => fail(how),
  async *serverStream(how) {
    yield 'one'
    yield await fail(how)
  },
  clientStream: async (items) => fail(await first(items)),
  async *duplex(items) {
    for await (const how of items) {
      yield 'one'
      yield await fail(how)
    }
  },
}

async function readAll(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

const kinds = ['unary', 'serverStream', 'clientStream', 'duplex'] as const
type Kind = (typeof kinds)[number]

const streams = (kind: Kind) => kind === 'serverStream' || kind === 'duplex'

/** Calls a method of a kind. */
function ask(api: ReturnType<typeof clientOf>, kind: Kind, how: string): Promise<unknown> {
  const wishes = { timeoutMs: how === 'never settles' ? 100 : 10_000 }
  if (kind === 'unary') return api.unary(how, wishes)
  if (kind === 'serverStream') return readAll(api.serverStream(how, wishes))
  if (kind === 'clientStream') return api.clientStream([how], wishes)
  return readAll(api.duplex([how], wishes))
}

function clientOf(connection: Connection) {
  return clientOver(contract, connection)
}

/** Handlers of streams that fail before there is a stream. */
const outside = {
  ...inside,
  serverStream: fail,
  duplex: async (items: AsyncIterable<string>) => fail(await first(items)),
} as unknown as Handlers

/** What nobody has caught. With a handler for each the process would have ended. */
const uncaught: unknown[] = []
process.on('uncaughtExceptionMonitor', (error) => uncaught.push(error))
process.on('unhandledRejection', (reason) => uncaught.push(reason))

/** Nothing counts as running any more, or this would wait; and nothing was thrown that nobody catches. */
async function nothingLeft({ connection, listener }: TransportLine): Promise<void> {
  await until(() => connection.pending === 0, 'nothing is pending')
  assert.equal(connection.state, 'open')
  await until(() => lineWheel.size === 0, 'no deadline waits')
  await listener.drain(AbortSignal.timeout(5_000))
  assert.deepEqual(uncaught, [])
}

for (const name of Object.keys(lineTransports)) {
  for (const kind of kinds) {
    test(`${name}: ${kind}: a handler that fails in any way is told as such, frees its place, and harms nobody`, async () => {
      for (const handlers of streams(kind) ? [inside, outside] : [inside]) {
        const service = defineService(contract, handlers)
        await using line = await openLine(name, service, { log: new RecordingLog() })
        const api = clientOf(line.connection)
        for (const how of Object.keys(ways)) {
          const error = await ask(api, kind, how).catch((thrown: unknown) => thrown)
          assert.ok(error instanceof CoveyError, `${how}: ${error}`)
          // What cannot be sent is no stream either.
          const code = handlers === inside ? expected[how] : laterExpected[how]
          assert.equal(error.code, code ?? 'INTERNAL', how)
          assert.doesNotMatch(JSON.stringify(error.toData()), /secret/, how)
          assert.notEqual(codeEntry(error.code).retry, 'always', how)
        }
        await nothingLeft(line)
      }
    })
  }

  test(`${name}: a handler whose listener of the cancellation throws harms nobody`, async () => {
    const log = new RecordingLog()
    const service = defineService(contract, {
      ...inside,
      unary: (_, call) => {
        ;(call as unknown as Call).onCancel(() => {
          throw new Error('a secret of the inside')
        })
        return never()
      },
    })
    await using line = await openLine(name, service, { log })
    const api = clientOf(line.connection)
    const leaving = new AbortController()
    const left = api.unary('', { signal: leaving.signal }).catch((error) => error.code)
    const late = api.unary('', { timeoutMs: 50 }).catch((error) => error.code)
    assert.equal(await late, 'DEADLINE_EXCEEDED')
    leaving.abort()
    assert.equal(await left, 'CANCELLED')
    const message = 'bad.unary: a listener of its cancellation failed'
    await until(() => log.messages('error').length === 2, 'both are in the log')
    assert.deepEqual(log.messages('error'), [message, message])
    assert.equal(
      await api.clientStream(['throws nothing']).catch((error) => error.code),
      'INTERNAL',
    )
    await nothingLeft(line)
  })
}

for (const [what, stream] of [
  ['nothing', () => undefined],
  ['a number', () => 7],
  ['a list', () => [1, 2]],
  ['an iterator whose `next` throws', () => ({ [Symbol.asyncIterator]: () => ({ next: fail }) })],
  [
    'an iterator that never ends nor leaves',
    () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
  ],
] as const) {
  for (const name of Object.keys(lineTransports)) {
    test(`${name}: a stream handler that returns ${what} is told to its caller alone`, async () => {
      const odd = { ...inside, serverStream: stream, duplex: stream } as unknown as Handlers
      await using line = await openLine(name, defineService(contract, odd))
      const api = clientOf(line.connection)
      const wishes = { timeoutMs: 300 }
      for (const call of [api.serverStream('', wishes), api.duplex([''], wishes)]) {
        const got = await readAll(call).catch((error: CoveyError) => error.code)
        if (what === 'a list') assert.deepEqual(got, [1, 2])
        else assert.match(String(got), /^(INTERNAL|INVALID_OUTPUT|DEADLINE_EXCEEDED)$/)
      }
      assert.equal(await api.unary('throws nothing').catch((error) => error.code), 'INTERNAL')
      await nothingLeft(line)
    })
  }
}
