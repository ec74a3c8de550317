import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { Call } from '../call/call.ts'
import { FrameDecoder } from '../codec/frame/frame-decoder.ts'
import { frameType } from '../codec/frame/frame-type.ts'
import { FrameWriter } from '../codec/frame/frame-writer.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { channelBench } from '../testing/channel-bench.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../testing/memory-pipe.ts'
import { defaultLimits } from '../transport/limits.ts'
import { ClientSession } from '../transport/session/client-session.ts'
import type { Connection } from '../transport/transport.ts'
import { batch } from './batch.ts'
import { contractClient } from './contract-client.ts'

const users = defineContract('users', { put: unary({ input: z.string() }) })
const text = 'x'.repeat(1_000)

/** A connection whose writes can be counted, with its handshake done. */
async function connect(clock: FakeClock): Promise<{ pipe: MemoryPipe; session: ClientSession }> {
  const pipe = memoryPipe()
  const session = new ClientSession(pipe, { limits: defaultLimits, clock })
  const ready = session.handshake()
  pipe.turn()
  const welcome = new FrameWriter(1 << 20)
  welcome.frame(frameType.welcome, 0, 0, (out) =>
    out.text(
      JSON.stringify({
        covey: 1,
        codec: 'msgpack',
        instance: 'i',
        maxFrameBytes: 1 << 22,
        methods: ['users.put'],
      }),
    ),
  )
  pipe.receive(welcome.take())
  await ready
  pipe.writes.length = 0
  return { pipe, session }
}

function client(invoke: (call: Call) => Promise<unknown>, clock: FakeClock) {
  return contractClient(users, { clock, invoke, currentCall: () => undefined })
}

function callsIn(writes: readonly Uint8Array[]): number {
  const decoder = new FrameDecoder(1 << 22)
  let calls = 0
  for (const bytes of writes) {
    decoder.push(bytes, ({ type }) => {
      if (type === frameType.call) calls += 1
    })
  }
  return calls
}

/** A batch of so many entries, whose end nobody waits for. */
function begin(api: ReturnType<typeof client>, entries: number, input = text): void {
  const named = Array.from({ length: entries }, (_, n) => [`n${n}`, api.put.of(input)])
  batch(Object.fromEntries(named)).catch(() => {})
}

test('the entries of a batch leave in one write, however much they are', async () => {
  const clock = new FakeClock()
  const { pipe, session } = await connect(clock)
  const api = client(session.invoke, clock)
  begin(api, 100)
  assert.equal(pipe.writes.length, 0)
  pipe.turn()
  assert.deepEqual([pipe.writes.length, callsIn(pipe.writes)], [1, 100])

  pipe.writes.length = 0
  for (let n = 0; n < 100; n++) api.put(text).catch(() => {})
  pipe.turn()
  assert.ok(pipe.writes.length > 2, 'calls that are no batch leave as soon as there is enough')
  await session.close()
})

test('a batch of more than 1 MiB leaves in writes of that size, and the turn after it is as ever', async () => {
  const clock = new FakeClock()
  const { pipe, session } = await connect(clock)
  const api = client(session.invoke, clock)
  begin(api, 300, 'x'.repeat(10_000))
  pipe.turn()
  assert.equal(pipe.writes.length, 3)
  pipe.writes.length = 0
  for (let n = 0; n < 20; n++) api.put(text).catch(() => {})
  pipe.turn()
  assert.ok(pipe.writes.length > 1)
  await session.close()
})

test('with several connections to an instance, a batch stays on one of them', async () => {
  const pipes: MemoryPipe[] = []
  const { clock, channel, list } = channelBench({
    connectionsPerInstance: 4,
    async connect(): Promise<Connection> {
      const { pipe, session } = await connect(clock)
      pipes.push(pipe)
      return session
    },
  })
  await list('i')
  const api = client(channel.invoke, clock)
  assert.equal(pipes.length, 4)
  for (const _ of [1, 2, 3, 4]) begin(api, 20)
  for (const pipe of pipes) pipe.turn()
  assert.deepEqual(
    pipes.map(({ writes }) => [writes.length, callsIn(writes)]),
    [1, 2, 3, 4].map(() => [1, 20]),
  )
  await channel.close()
})

test('a batch that had to wait for its connection leaves in one write too', async () => {
  const opening = Promise.withResolvers<void>()
  let pipe: MemoryPipe | undefined
  const { clock, channel, list } = channelBench({
    async connect(): Promise<Connection> {
      await opening.promise
      const made = await connect(clock)
      pipe = made.pipe
      return made.session
    },
  })
  const api = client(channel.invoke, clock)
  begin(api, 50)
  await list('i')
  opening.resolve()
  await clock.advance(0)
  pipe!.turn()
  assert.deepEqual([pipe!.writes.length, callsIn(pipe!.writes)], [1, 50])
  await channel.close()
})

test('the calls of a batch that another ended are cancelled, on the wire too', async () => {
  const clock = new FakeClock()
  const { pipe, session } = await connect(clock)
  const api = client(session.invoke, clock)
  const controller = new AbortController()
  const all = batch({ a: api.put.of(text), b: api.put.of(text) }, { signal: controller.signal })
  all.catch(() => {})
  pipe.turn()
  pipe.writes.length = 0
  controller.abort()
  await assert.rejects(all, { code: 'CANCELLED' })
  pipe.turn()
  const types: number[] = []
  const decoder = new FrameDecoder(1 << 20)
  for (const bytes of pipe.writes) decoder.push(bytes, ({ type }) => void types.push(type))
  assert.deepEqual(types, [frameType.cancel, frameType.cancel])
  assert.equal(session.pending, 0)
  await session.close()
})
