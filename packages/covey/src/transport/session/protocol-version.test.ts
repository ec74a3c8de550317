import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { clientStream, serverStream, unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import { ClientSession } from './client-session.ts'
import { ServerSession } from './server-session.ts'

// Recorded from both ends of a connection of version 1; not made by the code that is tested.
const v1 = {
  // {"covey":1,"codecs":["msgpack","json"],"maxFrameBytes":4194304,"streamWindowBytes":262144}
  hello:
    '000000600100000000007b22636f766579223a312c22636f64656373223a5b226d73677061636b222c226a736f6e225d2c226d61784672616d654279746573223a343139343330342c2273747265616d57696e646f774279746573223a3236323134347d',
  // {"covey":1,"codec":"msgpack","instance":"i","maxFrameBytes":1048576,"methods":["t.ask","t.items","t.upload"]}
  welcome:
    '000000730200000000007b22636f766579223a312c22636f646563223a226d73677061636b222c22696e7374616e6365223a2269222c226d61784672616d654279746573223a313034383537362c226d6574686f6473223a5b22742e61736b222c22742e6974656d73222c22742e75706c6f6164225d7d',
  // call 1 of method 0, no timeout, no flags, "hi"
  call: '0000000f0300000000010000ffffffffa26869',
  // the same of method 2, without a body
  callStream: '0000000c0300000000020002ffffffff',
  result: '00000009040000000001a26f6b',
  cancel: '00000006060000000001',
  item: '0000000707000000000105',
  end: '00000006080000000001',
}

const { methods } = defineContract('t', {
  ask: unary({ input: z.any(), output: z.any(), timeoutMs: Number.POSITIVE_INFINITY }),
  items: serverStream({ output: z.any() }),
  upload: clientStream({ input: z.any(), output: z.any() }),
})

const hex = (text: string) => Buffer.from(text, 'hex')

/** All that was written since the last look, in hexadecimal. */
function written(pipe: MemoryPipe): string {
  pipe.turn()
  return Buffer.concat(pipe.writes.splice(0)).toString('hex')
}

function text(pipe: MemoryPipe): string {
  return hex(written(pipe)).toString('latin1')
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function clientOfVersion1() {
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock: new FakeClock() })
  const ready = session.handshake()
  const hello = text(pipe)
  pipe.receive(hex(v1.welcome))
  await ready
  return { pipe, session, hello }
}

/** A call as version 1 knew it; this side always has a trace, which is cut out. */
function withoutTrace(call: string): string {
  assert.equal(call.slice(10, 12), '01')
  const length = Number.parseInt(call.slice(0, 8), 16) - 25
  const head = call.slice(12, 32)
  return `${length.toString(16).padStart(8, '0')}0300${head}${call.slice(32 + 50)}`
}

test('a client speaks version 1 to a server of version 1', async () => {
  const { pipe, session, hello } = await clientOfVersion1()
  assert.match(hello, /"covey":1,"newest":2,/)
  const answer = session.invoke(new Call(methods.ask, 'hi'))
  assert.equal(withoutTrace(written(pipe)), v1.call)
  pipe.receive(hex(v1.result))
  assert.equal(await answer, 'ok')
})

test('a cancelled call carries no reason to a server of version 1', async () => {
  const { pipe, session } = await clientOfVersion1()
  const call = new Call(methods.ask, 'hi')
  const answer = session.invoke(call)
  written(pipe)
  call.cancel(new CoveyError('CANCELLED', 'enough'))
  await assert.rejects(answer, { code: 'CANCELLED' })
  assert.equal(written(pipe), v1.cancel)
})

test('what version 1 does not have is refused before anything leaves, saying why', async () => {
  const { pipe, session } = await clientOfVersion1()
  await assert.rejects(session.invoke(new Call(methods.upload, undefined)), {
    code: 'UNIMPLEMENTED',
    message: 't.upload: a stream of inputs needs version 2 of the protocol; instance i speaks 1',
  })
  assert.equal(written(pipe), '')
  assert.equal(session.state, 'open')
})

function serverOf(serve: (call: Call) => Promise<unknown>) {
  const pipe = memoryPipe()
  const dispatcher = {
    instance: 'i',
    methods: [methods.ask, methods.items, methods.upload],
    serve,
  }
  const limits = { ...defaultLimits, maxFrameBytes: 1_048_576 }
  const session = new ServerSession(pipe, dispatcher, { limits, clock: new FakeClock() }, 'c1', {
    onIdle() {},
    onClosed() {},
  })
  return { pipe, session }
}

test('a server answers a client of version 1 in version 1', async () => {
  const { pipe } = serverOf(async () => 'ok')
  pipe.receive(hex(v1.hello))
  await settled()
  assert.equal(written(pipe), v1.welcome)
  pipe.receive(hex(v1.call))
  await settled()
  assert.equal(written(pipe), v1.result)
})

test('a client of version 1 is told that it cannot call a method that takes a stream', async () => {
  const { pipe, session } = serverOf(async () => 'ok')
  pipe.receive(hex(v1.hello))
  await settled()
  written(pipe)
  pipe.receive(hex(v1.callStream))
  assert.match(text(pipe), /UNIMPLEMENTED.*t\.upload: a stream of inputs needs version 2/)
  assert.equal(session.running, 0)
})

test('frames of version 2 end a connection of version 1', async () => {
  for (const [frame, running] of [
    [v1.item, true],
    [v1.end, true],
    [v1.item, false],
    [v1.end, false],
  ] as const) {
    const { pipe } = serverOf(() => new Promise(() => {}))
    pipe.receive(hex(v1.hello))
    await settled()
    if (running) pipe.receive(hex(v1.call))
    written(pipe)
    pipe.receive(hex(frame))
    assert.match(text(pipe), /PROTOCOL_ERROR/)
  }
})

test('the newest common version is chosen, whatever else the peer speaks', async () => {
  for (const [covey, newest, expected] of [
    [1, 2, /"covey":2,/],
    [2, 7, /"covey":2,/],
    [1, undefined, /"covey":1,/],
    [3, 7, /protocol versions 3 to 7; this side speaks 1 to 2/],
    [2, 1, /protocol versions 2 to 1; this side speaks 1 to 2/],
    [0, undefined, /protocol version 0/],
    ['1', undefined, /covey is not a version/],
    [1, 1.5, /newest is not a version/],
  ] as const) {
    const { pipe } = serverOf(async () => 'ok')
    const limits = { maxFrameBytes: 1 << 20, streamWindowBytes: 1 << 16 }
    const hello = JSON.stringify({ covey, newest, codecs: ['msgpack'], ...limits })
    const writer = new FrameWriter(1 << 20)
    writer.frame(frameType.hello, 0, 0, (out) => out.text(hello))
    pipe.receive(writer.take())
    await settled()
    const said = text(pipe)
    assert.match(said, expected)
    const window = `"streamWindowBytes":${defaultLimits.streamWindowBytes}`
    assert.equal(said.includes(window), /"covey":2/.test(said))
  }
})
