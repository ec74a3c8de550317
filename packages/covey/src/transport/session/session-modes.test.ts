import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { serverStream, unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import type { Dispatcher } from '../transport.ts'
import { ClientSession } from './client-session.ts'
import { ServerSession } from './server-session.ts'

const { methods } = defineContract('t', {
  ask: unary({ input: z.any(), output: z.any() }),
  items: serverStream({ output: z.any() }),
})

const limits = '"maxFrameBytes":4194304,"streamWindowBytes":262144'

/** A frame in hexadecimal, made by hand from docs/protocol.md. */
function frame(type: number, id: number, body = ''): string {
  const u32 = (value: number) => value.toString(16).padStart(8, '0')
  return `${u32(6 + body.length / 2)}${type.toString(16).padStart(2, '0')}00${u32(id)}${body}`
}

const hex = (text: string) => Buffer.from(text, 'hex')
const inHex = (text: string) => Buffer.from(text).toString('hex')

/** Method 0, 60,000 ms; behind it `{"id":"7"}`. */
const head = '00000000ea60'
const input = '81a26964a137'
const token = 'i~AAAAAAAAAAAAAAAAAAAAAA'
/** The token as a text of MessagePack. */
const tokenBody = `b8${inHex(token)}`

function written(pipe: MemoryPipe): string {
  pipe.turn()
  return Buffer.concat(pipe.writes.splice(0)).toString('hex')
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function client(covey = 2) {
  const pipe = memoryPipe()
  const clock = new FakeClock()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock })
  const ready = session.handshake()
  written(pipe)
  const named = `"instance":"i",${limits},"methods":["t.ask","t.items"]`
  pipe.receive(hex(frame(2, 0, inHex(`{"covey":${covey},"codec":"msgpack",${named}}`))))
  await ready
  const call = (mode: 'notify' | 'submit') =>
    new Call(methods.ask, { id: '7' }, { clock, mode, workMs: 60_000, deadlineMs: 5_000 })
  return { pipe, session, call }
}

/** A server whose dispatcher accepts as `accept` says. */
async function server(accept: Dispatcher['accept'], covey = 2) {
  const pipe = memoryPipe()
  const dispatcher: Dispatcher = {
    instance: 'i',
    methods: [methods.ask, methods.items],
    serve: () => assert.fail('served'),
    ...(accept === undefined ? {} : { accept }),
  }
  const options = { limits: defaultLimits, clock: new FakeClock() }
  const events = { onIdle() {}, onClosed() {} }
  const session = new ServerSession(pipe, dispatcher, options, 'c1', events)
  pipe.receive(
    hex(frame(1, 0, inHex(`{"covey":1,"newest":${covey},"codecs":["msgpack"],${limits}}`))),
  )
  await turn()
  written(pipe)
  return { pipe, session }
}

test('notify and submit are frames 13 and 14 with the time of the work, accepted is 15', async () => {
  const { pipe, session, call } = await client()
  const notified = session.invoke(call('notify'))
  const submitted = session.invoke(call('submit'))
  // The trace, which every call of this side has, is 25 bytes behind method and timeout.
  const sent = written(pipe)
  const pattern = (type: string, id: number) => `0000002b${type}010000000${id}${head}.{50}${input}`
  assert.match(sent, new RegExp(`^${pattern('0d', 1)}${pattern('0e', 2)}$`))
  pipe.receive(hex(frame(15, 2, tokenBody) + frame(15, 1)))
  assert.deepEqual(await Promise.all([notified, submitted]), [undefined, token])
  assert.equal(session.pending, 0)
})

test('a refusal is the error of the call', async () => {
  const { pipe, session, call } = await client()
  const refused = session.invoke(call('submit'))
  written(pipe)
  const body = `82a4${inHex('code')}a8${inHex('DRAINING')}a7${inHex('message')}a2${inHex('no')}`
  pipe.receive(hex(frame(5, 1, body)))
  await assert.rejects(refused, { code: 'DRAINING', message: 'no' })
})

test('an answer of the wrong kind ends the connection', async () => {
  for (const mode of ['wait', 'notify', 'submit'] as const) {
    const { pipe, session } = await client()
    const answer = session.invoke(new Call(methods.ask, 1, { mode }))
    written(pipe)
    pipe.receive(hex(mode === 'wait' ? frame(15, 1) : frame(4, 1, tokenBody)))
    await assert.rejects(answer, { code: 'PROTOCOL_ERROR' })
    assert.equal(session.state, 'closed')
  }
})

test('a connection that breaks before the acceptance: it may have run, unless it never left', async () => {
  const { pipe, session, call } = await client()
  const left = session.invoke(call('submit'))
  written(pipe)
  const kept = session.invoke(call('notify'))
  pipe.disconnect()
  await assert.rejects(left, { code: 'CONNECTION_LOST' })
  await assert.rejects(kept, { code: 'UNAVAILABLE' })
})

test('a server of version 1 is not sent what it does not know', async () => {
  const { pipe, session, call } = await client(1)
  for (const mode of ['notify', 'submit'] as const) {
    await assert.rejects(session.invoke(call(mode)), {
      code: 'UNIMPLEMENTED',
      message: `t.ask: ${mode} needs version 2 of the protocol; instance i speaks 1`,
    })
  }
  assert.equal(written(pipe), '')
  assert.equal(session.state, 'open')
})

test('a server answers with accepted, and with the token of a submit', async () => {
  const seen: unknown[] = []
  const { pipe, session } = await server(async (call) => {
    seen.push(call.mode, call.input, call.deadlineMs)
    return call.mode === 'submit' ? token : undefined
  })
  pipe.receive(hex(frame(13, 1, head + input) + frame(14, 2, head + input)))
  await turn()
  assert.equal(written(pipe), frame(15, 1) + frame(15, 2, tokenBody))
  assert.deepEqual(seen, ['notify', { id: '7' }, 60_000, 'submit', { id: '7' }, 60_000])
  assert.equal(session.running, 0)
})

test('until it is accepted a cancel reaches the call, afterwards neither that nor the end', async () => {
  const calls: Call[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { pipe } = await server((call) => {
    calls.push(call)
    return call.mode === 'notify' ? promise : Promise.resolve(token)
  })
  pipe.receive(hex(frame(13, 1, head) + frame(14, 2, head)))
  await turn()
  pipe.receive(hex(frame(6, 1) + frame(6, 2)))
  assert.deepEqual(
    calls.map((call) => call.cancelled?.code),
    ['CANCELLED', undefined],
  )
  resolve(undefined)
  await turn()
  assert.match(written(pipe), new RegExp(`^${frame(15, 2, tokenBody)}.{8}0500${'00000001'}`))
  pipe.disconnect()
  assert.equal(calls[1]?.cancelled, undefined)
})

test('the end of the connection takes back what was not accepted', async () => {
  let asked: Call | undefined
  const { pipe } = await server((call) => {
    asked = call
    return new Promise(() => {})
  })
  pipe.receive(hex(frame(14, 1, head)))
  pipe.disconnect()
  assert.equal(asked?.cancelled?.code, 'CANCELLED')
})

test('what cannot be accepted is told, and the connection goes on', async () => {
  const none = await server(undefined)
  none.pipe.receive(hex(frame(13, 1, head)))
  await turn()
  assert.match(hex(written(none.pipe)).toString('latin1'), /UNIMPLEMENTED.*instance i takes no/)
  const stopping = await server(() => Promise.reject(new CoveyError('RESOURCE_EXHAUSTED', 'full')))
  stopping.pipe.receive(hex(frame(14, 1, head)))
  await turn()
  assert.match(hex(written(stopping.pipe)).toString('latin1'), /RESOURCE_EXHAUSTED.*full/)
  stopping.session.drain()
  written(stopping.pipe)
  stopping.pipe.receive(hex(frame(14, 2, head)))
  await turn()
  assert.match(hex(written(stopping.pipe)).toString('latin1'), /DRAINING/)
})

test('frames of notify and submit end a connection of version 1', async () => {
  for (const type of [13, 14]) {
    const { pipe } = await server(() => assert.fail('accepted'), 1)
    pipe.receive(hex(frame(type, 1, head)))
    await turn()
    assert.match(hex(written(pipe)).toString('latin1'), /PROTOCOL_ERROR/)
  }
})
