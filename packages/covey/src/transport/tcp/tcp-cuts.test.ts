import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CoveyError } from '../../error/covey-error.ts'
import { startChaosProxy } from '../../testing/chaos-proxy.ts'
import { ExecutionLog } from '../../testing/execution-log.ts'
import { truth } from '../../testing/fixtures/truth-contract.ts'
import { truthService } from '../../testing/fixtures/truth-service.ts'
import { clientOver, dialTcp, serveTcp } from '../../testing/tcp-line.ts'
import { until } from '../../testing/until.ts'

// Bytes that come in any pieces, and answers that end anywhere.

async function* pieces(number: number, count: number) {
  for (let place = 0; place < count; place++) yield { number, place }
}

async function listOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of stream) list.push(item)
  return list
}

const metadata = { number: '1' }

for (const sliceBytes of [1, 3]) {
  test(`calls of all kinds survive pieces of ${sliceBytes} bytes, both ways`, async () => {
    await using listener = await serveTcp(truthService(new ExecutionLog(10)))
    await using proxy = await startChaosProxy(listener.address)
    proxy.set({ sliceBytes })
    await using connection = await dialTcp(proxy.address, {
      handshakeMs: 20_000,
      silenceMs: 20_000,
    })
    const api = clientOver(truth, connection)
    const wishes = { timeoutMs: 60_000, metadata }
    const text = 'ünï😀'.repeat(20)
    const expected = Array.from({ length: 20 }, (_, place) => ({ number: 1, place }))
    const [echoed, counted, summed, mirrored] = await Promise.all([
      api.echo({ number: 1, text }, wishes),
      listOf(api.count({ number: 1, to: 20 }, wishes)),
      api.sum(pieces(1, 20), wishes),
      listOf(api.mirror(pieces(1, 20), wishes)),
    ])
    assert.deepEqual(echoed, { number: 1, text })
    assert.deepEqual(counted, expected)
    assert.deepEqual(summed, { number: 1, pieces: 20 })
    assert.deepEqual(mirrored, expected)
  })
}

/** Size of the welcome and of an answer, as a proxy sees them. */
async function answerBytes(address: string): Promise<{ welcome: number; answer: number }> {
  await using proxy = await startChaosProxy(address)
  await using connection = await dialTcp(proxy.address)
  const welcome = proxy.passedBytes.down
  await clientOver(truth, connection).echo({ number: 0, text: 'answer' })
  return { welcome, answer: proxy.passedBytes.down - welcome }
}

test('an answer that is cut at any byte is an error, never half a result', async () => {
  const log = new ExecutionLog(1_000)
  await using listener = await serveTcp(truthService(log))
  const { welcome, answer } = await answerBytes(listener.address)
  assert.ok(answer > 20 && answer < 100, `${answer} bytes`)
  await using proxy = await startChaosProxy(listener.address)
  for (let bytes = 0; bytes <= answer; bytes++) {
    for (const toxics of [{ cutAfterBytes: welcome + bytes }, { endAfterBytes: welcome + bytes }]) {
      proxy.clear()
      await using connection = await dialTcp(proxy.address)
      proxy.set(toxics, 'down')
      const call = clientOver(truth, connection).echo({ number: 1 + bytes, text: 'answer' })
      const got = await call.catch((error: CoveyError) => error.code)
      if (bytes < answer) assert.equal(got, 'CONNECTION_LOST', `cut at ${bytes}`)
      else assert.deepEqual(got, { number: 1 + bytes, text: 'answer' })
      assert.equal(log.runs(1 + bytes) > 0, true)
    }
  }
  await until(() => listener.connections === 0, 'nothing is left')
})

test('a stream that is cut at any byte ends with an error behind whole elements', async () => {
  await using listener = await serveTcp(truthService(new ExecutionLog(1_000)))
  await using whole = await startChaosProxy(listener.address)
  await using first = await dialTcp(whole.address)
  const welcome = whole.passedBytes.down
  await listOf(clientOver(truth, first).count({ number: 1, to: 5 }))
  const all = whole.passedBytes.down - welcome
  await using proxy = await startChaosProxy(listener.address)
  for (let bytes = 0; bytes < all; bytes++) {
    proxy.clear()
    await using connection = await dialTcp(proxy.address)
    proxy.set({ cutAfterBytes: welcome + bytes }, 'down')
    const got: unknown[] = []
    const reading = (async () => {
      for await (const piece of clientOver(truth, connection).count({ number: 1, to: 5 })) {
        got.push(piece)
      }
    })()
    await assert.rejects(reading, { code: 'CONNECTION_LOST' }, `cut at ${bytes}`)
    const expected = Array.from({ length: got.length }, (_, place) => ({ number: 1, place }))
    assert.deepEqual(got, expected)
  }
})
