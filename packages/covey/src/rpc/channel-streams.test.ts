import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Call } from '../call/call.ts'
import { InputSource } from '../call/input-source.ts'
import { defineContract } from '../contract/define-contract.ts'
import { clientStream, duplex } from '../contract/method.ts'
import { CoveyError } from '../error/covey-error.ts'
import { channelBench } from '../testing/channel-bench.ts'

const { methods } = defineContract('users', { upload: clientStream(), talk: duplex() })
const refusal = new CoveyError('DRAINING', 'not now')

async function bench(read: number) {
  const { invoke, list, at, clock } = channelBench()
  await list('a', 'b')
  const taken: unknown[] = []
  at('a').answer = async ({ input }) => {
    const iterator = (input as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    for (let count = 0; count < read; count++) taken.push((await iterator.next()).value)
    throw refusal
  }
  at('b').answer = async ({ input, method }) => {
    for await (const item of input as AsyncIterable<unknown>) taken.push(item)
    return method === methods.talk ? (async function* () {})() : 'b'
  }
  return { invoke, at, taken, clock }
}

test('a stream that was refused before its source was asked goes to another instance', async () => {
  for (const method of [methods.upload, methods.talk]) {
    const { invoke, taken, clock } = await bench(0)
    const input = new InputSource([1, 2, 3], 't')
    const result = await invoke(new Call(method, input, { clock }))
    if (method === methods.upload) assert.equal(result, 'b')
    assert.deepEqual(taken, [1, 2, 3])
  }
})

test('a stream whose source was asked is never sent to another instance', async () => {
  for (const method of [methods.upload, methods.talk]) {
    for (const input of [new InputSource([1, 2, 3], 't'), [1, 2, 3].values()]) {
      const { invoke, at, taken, clock } = await bench(1)
      await assert.rejects(invoke(new Call(method, input, { clock })), refusal)
      assert.deepEqual([taken, at('b').calls.length], [[1], 0])
    }
  }
})

test('times of streams are not taken for times of an instance', async () => {
  const { invoke, at, clock } = await bench(0)
  at('a').answer = async () => {
    await clock.advance(60_000)
    return 'a'
  }
  const picked: string[] = []
  for (let count = 0; count < 2; count++) {
    picked.push((await invoke(new Call(methods.upload, [], { clock }))) as string)
  }
  assert.deepEqual(picked, ['a', 'a'])
})
