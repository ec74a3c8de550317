import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, duplex, serverStream, unary } from '../contract/method.ts'
import { codeEntry } from '../error/codes.ts'
import { CoveyError } from '../error/covey-error.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { clientOver, dialTcp, lineWheel, serveTcp } from '../testing/tcp-line.ts'
import { until } from '../testing/until.ts'

// Handlers that fail in every way, in each of the four kinds of calls.

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

/** Calls a method of a kind. */
function ask(api: ReturnType<typeof clientOf>, kind: Kind, how: string): Promise<unknown> {
  const wishes = { timeoutMs: how === 'never settles' ? 100 : 10_000 }
  if (kind === 'unary') return api.unary(how, wishes)
  if (kind === 'serverStream') return readAll(api.serverStream(how, wishes))
  if (kind === 'clientStream') return api.clientStream([how], wishes)
  return readAll(api.duplex([how], wishes))
}

function clientOf(connection: Parameters<typeof clientOver>[1]) {
  return clientOver(contract, connection)
}

for (const kind of kinds) {
  test(`${kind}: a handler that fails in any way is told as such, frees its place, and harms nobody`, async () => {
    const log = new RecordingLog()
    await using listener = await serveTcp(defineService(contract, inside), {}, log)
    await using connection = await dialTcp(listener.address)
    const api = clientOf(connection)
    for (const how of Object.keys(ways)) {
      const error = await ask(api, kind, how).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof CoveyError, `${how}: ${error}`)
      assert.equal(error.code, expected[how] ?? 'INTERNAL', how)
      assert.doesNotMatch(JSON.stringify(error.toData()), /secret/, how)
      assert.notEqual(codeEntry(error.code).retry, 'always', how)
    }
    assert.equal(connection.pending, 0)
    assert.equal(connection.state, 'open')
    await until(() => lineWheel.size === 0, 'no deadline waits')
    // Nothing counts as running any more, or this would wait.
    await listener.drain(AbortSignal.timeout(5_000))
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
  test(`a stream handler that returns ${what} is told to its caller alone`, async () => {
    const odd = { ...inside, serverStream: stream, duplex: stream } as unknown as Handlers
    await using listener = await serveTcp(defineService(contract, odd))
    await using connection = await dialTcp(listener.address)
    const api = clientOf(connection)
    const wishes = { timeoutMs: 300 }
    for (const call of [api.serverStream('', wishes), api.duplex([''], wishes)]) {
      const got = await readAll(call).catch((error: CoveyError) => error.code)
      if (what === 'a list') assert.deepEqual(got, [1, 2])
      else assert.match(String(got), /^(INTERNAL|INVALID_OUTPUT|DEADLINE_EXCEEDED)$/)
    }
    assert.equal(await api.unary('throws nothing').catch((error) => error.code), 'INTERNAL')
    await until(() => connection.pending === 0, 'nothing is pending')
    await listener.drain(AbortSignal.timeout(5_000))
  })
}
