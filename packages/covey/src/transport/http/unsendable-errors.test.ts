import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { Call } from '../../call/call.ts'
import { msgpackCodec } from '../../codec/msgpack-codec.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { ask, fourMethods, items } from '../../testing/four-kinds.ts'
import { defaultLimits } from '../limits.ts'
import { connectHttp } from './client.ts'
import { listenHttp } from './server.ts'

// Errors that cannot be written as they are. An unhandled rejection fails a test by itself.

const half = 'no room \ud83d'
const told = { code: 'NOT_FOUND', message: 'no room \ufffd' }
const options = { clock: systemClock, limits: defaultLimits }

async function* one() {
  yield 1
  throw new CoveyError('NOT_FOUND', half)
}

/** Fails every call. */
function serve() {
  const dispatcher = {
    instance: 'i',
    methods: fourMethods,
    serve: async (call: Call) => {
      if (call.input === 'fine') return 'fine'
      if (call.input === 'one') return one()
      throw new CoveyError('NOT_FOUND', half)
    },
  }
  return listenHttp('http://127.0.0.1:0', dispatcher, options)
}

async function post(url: string, input: unknown) {
  const headers = { 'content-type': 'application/json', accept: 'application/msgpack' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(input) })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const body = msgpackCodec.decode(bytes, 0, bytes.length) as Record<string, unknown>
  return { status: response.status, body }
}

test('a problem with half a character is told in MessagePack as well', async () => {
  await using listener = await serve()
  const { status, body } = await post(`${listener.address}/rpc/t/ask`, 'x')
  assert.deepEqual([status, body.code, body.detail], [404, told.code, told.message])
})

test('it spoils no batch', async () => {
  await using listener = await serve()
  const batch = {
    good: { method: 't.ask', input: 'fine' },
    bad: { method: 't.ask', input: 'x' },
  }
  const { status, body } = await post(`${listener.address}/rpc/batch`, batch)
  assert.equal(status, 200)
  assert.deepEqual(body, { good: { ok: true, value: 'fine' }, bad: { ok: false, error: told } })
})

test('it ends a stream, and a reason with half a character gives one up', async () => {
  await using listener = await serve()
  await using connection = await connectHttp(listener.address, options)
  const stream = (await connection.invoke(new Call(items, 'one'))) as AsyncIterable<unknown>
  const read = async () => {
    for await (const item of stream) assert.equal(item, 1)
  }
  await assert.rejects(read(), told)
  const call = new Call(items, 'one')
  await connection.invoke(call)
  call.cancel(new CoveyError('CANCELLED', half))
  assert.equal(await connection.invoke(new Call(ask, 'fine')), 'fine')
})
