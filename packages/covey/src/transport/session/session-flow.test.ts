import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Call } from '../../call/call.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { defineContract } from '../../contract/define-contract.ts'
import { unary } from '../../contract/method.ts'
import { CoveyError } from '../../error/covey-error.ts'
import type { MemoryPipe } from '../../testing/memory-pipe.ts'
import {
  callFrame,
  clientEnd,
  framesOf,
  saidBy,
  serverEnd,
  settled,
  valueFrame,
} from '../../testing/session-ends.ts'

// What waits at either end for a peer that does not take it.

const files = defineContract('files', { get: unary({ input: z.any(), output: z.any() }) })
const methods = [files.methods.get]
const kibibyte = 1024

/** Nothing of what is written leaves until the test says so. */
function block(pipe: MemoryPipe): void {
  pipe.write = (bytes) => {
    pipe.writes.push(bytes.slice())
    pipe.unsentBytes += bytes.length
    return false
  }
}

/** Numbers of the calls that were answered since the last look. */
function answered(pipe: MemoryPipe): number[] {
  return framesOf(pipe).map(({ id }) => id)
}

function calls(from: number, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => callFrame(from + index, 0, 1)))
}

test('thousands of answers that are ready wait as values until the client takes those before', async () => {
  const limits = { maxQueuedBytes: 100 * kibibyte }
  const { pipe, session } = await serverEnd(methods, async () => 'x'.repeat(10 * kibibyte), {
    limits,
  })
  block(pipe)
  pipe.receive(calls(1, 2_000))
  await settled()
  const seen = answered(pipe)
  assert.ok(pipe.unsentBytes < 115 * kibibyte, `${pipe.unsentBytes} bytes wait`)
  assert.equal(seen.length, 10)
  assert.equal(pipe.paused, true)
  assert.equal(session.running, 1_990)
  for (let rounds = 0; rounds < 400 && session.running > 0; rounds++) {
    pipe.drain()
    await settled(2)
    assert.ok(pipe.unsentBytes < 115 * kibibyte)
    seen.push(...answered(pipe))
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 2_000 }, (_, index) => index + 1),
  )
  pipe.drain()
  assert.deepEqual([session.running, pipe.paused], [0, false])
})

test('a call that is given up while its answer waits is answered so, once', async () => {
  const limits = { maxQueuedBytes: 10 * kibibyte }
  const { pipe, session } = await serverEnd(methods, async () => 'x'.repeat(20 * kibibyte), {
    limits,
  })
  block(pipe)
  pipe.receive(calls(1, 3))
  await settled()
  assert.deepEqual(answered(pipe), [1])
  pipe.receive(valueFrame(frameType.cancel, 2, { code: 'CANCELLED', message: 'enough' }))
  assert.deepEqual(saidBy(pipe), [['error', 2, { code: 'CANCELLED', message: 'enough' }]])
  pipe.drain()
  await settled()
  assert.deepEqual([answered(pipe), session.running], [[3], 0])
})

test('answers that wait are let go of with their connection', async () => {
  const limits = { maxQueuedBytes: 10 * kibibyte, slowReaderMs: 5_000 }
  const { pipe, session, closed, clock } = await serverEnd(
    methods,
    async () => 'x'.repeat(20 * kibibyte),
    { limits },
  )
  block(pipe)
  pipe.receive(calls(1, 100))
  await settled()
  assert.equal(session.running, 99)
  await clock.advance(6_000)
  assert.deepEqual([session.running, closed], [0, ['CONNECTION_LOST']])
})

test('errors wait as results do', async () => {
  const limits = { maxQueuedBytes: 10 * kibibyte }
  const details = { what: 'x'.repeat(20 * kibibyte) }
  const fail = async () => {
    throw new CoveyError('NOT_FOUND', 'no such file', { details })
  }
  const { pipe, session } = await serverEnd(methods, fail, { limits })
  block(pipe)
  pipe.receive(calls(1, 100))
  await settled()
  assert.deepEqual([answered(pipe), session.running], [[1], 99])
})

test('a client refuses calls when too much waits to be sent; they were not', async () => {
  const limits = { maxUnsentBytes: 1_000 * kibibyte }
  const { pipe, session, clock } = await clientEnd(methods, { limits })
  block(pipe)
  const input = 'x'.repeat(10 * kibibyte)
  const codes: string[] = []
  const call = () =>
    session.invoke(new Call(files.methods.get, input, { clock })).then(
      () => codes.push('OK'),
      ({ code, message }: CoveyError) => codes.push(`${code}: ${message}`),
    )
  for (let count = 0; count < 1_000; count++) void call()
  await settled()
  assert.equal(codes.length, 900)
  assert.match(codes[0]!, /^RESOURCE_EXHAUSTED: not sent: \d{7} bytes of calls before it wait/)
  assert.ok(pipe.unsentBytes < 1_020 * kibibyte, `${pipe.unsentBytes} bytes wait`)
  assert.equal(session.pending, 100)
  pipe.drain()
  void call()
  assert.equal(session.pending, 101)
})
