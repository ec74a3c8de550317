import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { encodeMsgpack } from '../../codec/msgpack/encode.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { unary } from '../../contract/method.ts'
import type { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits } from '../limits.ts'
import { ClientSession } from './client-session.ts'

// What a client may say of a call whose answer never came, and which number a call may have.

const { methods } = defineContract('t', { echo: unary({ input: z.any(), output: z.any() }) })

const welcome = {
  covey: 1,
  codec: 'msgpack',
  instance: 'i',
  maxFrameBytes: 1 << 20,
  streamWindowBytes: 1 << 20,
  methods: ['t.echo'],
}

function frame(type: number, id: number, write?: Parameters<FrameWriter['frame']>[3]): Uint8Array {
  const writer = new FrameWriter(1 << 24)
  writer.frame(type, 0, id, write)
  return writer.take()
}

function result(id: number, value: unknown): Uint8Array {
  return frame(frameType.result, id, (out) => encodeMsgpack(value, out))
}

async function connected(lastId = 0): Promise<{ pipe: MemoryPipe; session: ClientSession }> {
  const pipe = memoryPipe()
  const options = { limits: defaultLimits, clock: new FakeClock() }
  const session = new ClientSession(pipe, options, lastId)
  const ready = session.handshake()
  pipe.turn()
  pipe.receive(frame(frameType.welcome, 0, (out) => out.text(JSON.stringify(welcome))))
  await ready
  pipe.writes.length = 0
  return { pipe, session }
}

/** Numbers of the calls that were written since the last look. */
function callsWritten(pipe: MemoryPipe): number[] {
  pipe.turn()
  const ids: number[] = []
  const decoder = new FrameDecoder(1 << 24)
  for (const bytes of pipe.writes.splice(0)) {
    decoder.push(bytes, ({ type, id }) => {
      if (type === frameType.call) ids.push(id)
    })
  }
  return ids
}

function ask(session: ClientSession, input: unknown): Promise<string> {
  return session.invoke(new Call(methods.echo, input)).then(
    (value) => JSON.stringify(value),
    (error: CoveyError) => error.code,
  )
}

test('a call that left before its turn was over may have run', async () => {
  const { pipe, session } = await connected()
  const small = ask(session, 'small')
  const large = ask(session, 'x'.repeat(20_000))
  assert.equal(pipe.writes.length, 1, 'the write was full')
  const kept = ask(session, 'behind')
  pipe.disconnect()
  assert.deepEqual(await Promise.all([small, large, kept]), [
    'CONNECTION_LOST',
    'CONNECTION_LOST',
    'UNAVAILABLE',
  ])
})

for (const code of ['DRAINING', 'UNAVAILABLE', 'RESOURCE_EXHAUSTED']) {
  test(`a connection that ends with ${code} does not mean that its calls were not run`, async () => {
    const { pipe, session } = await connected()
    const left = ask(session, 1)
    pipe.turn()
    const kept = ask(session, 2)
    const farewell = JSON.stringify({ code, message: 'no more' })
    pipe.receive(frame(frameType.error, 0, (out) => out.text(farewell)))
    assert.deepEqual(await Promise.all([left, kept]), ['CONNECTION_LOST', 'UNAVAILABLE'])
  })
}

test('behind the highest number the lowest come again, but for those in use', async () => {
  const { pipe, session } = await connected(0xfffffffd)
  const first = ask(session, 'a')
  const given = [ask(session, 'b'), ask(session, 'c'), ask(session, 'd')]
  const ids = callsWritten(pipe)
  assert.deepEqual(ids, [0xfffffffe, 0xffffffff, 1, 2])
  for (const id of [2, 0xffffffff, 1]) pipe.receive(result(id, `for ${id}`))
  assert.deepEqual(await Promise.all(given), ['"for 4294967295"', '"for 1"', '"for 2"'])
  // Late answers to numbers of the round before harm nobody.
  pipe.receive(result(0xffffffff, 'late'))
  pipe.receive(result(77, 'late'))
  assert.equal(session.state, 'open')
  pipe.receive(result(0xfffffffe, 'for the first'))
  assert.equal(await first, '"for the first"')
})
