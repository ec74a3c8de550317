import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { MemoryResultStore, type ResultLimits } from './memory-result-store.ts'

function setUp(limits: Partial<ResultLimits> = {}) {
  const clock = new FakeClock()
  const store = new MemoryResultStore(clock, limits)
  const save = (token: string, size = 10) => store.save(token, new Uint8Array(size))
  const has = async (...tokens: string[]) =>
    (await store.find(tokens)).map((outcome) => outcome !== undefined)
  return { clock, store, save, has }
}

test('a result is kept for its time, with one timer for all', async () => {
  const { clock, store, save, has } = setUp({ keepMs: 1_000 })
  await save('a')
  await clock.advance(400)
  await save('b', 20)
  await save('c', 30)
  assert.equal(clock.waiting, 1)
  assert.deepEqual([store.size, store.bytes], [3, 60])
  await clock.advance(599)
  assert.deepEqual(await has('a', 'b', 'nobody'), [true, true, false])
  await clock.advance(1)
  assert.deepEqual(await has('a', 'b'), [false, true])
  assert.deepEqual([store.size, store.bytes, clock.waiting], [2, 50, 1])
  await clock.advance(400)
  assert.deepEqual([store.size, store.bytes, clock.waiting], [0, 0, 0])
  await save('d')
  await clock.advance(1_000)
  assert.equal(store.size, 0)
})

test('the default time is ten minutes', async () => {
  const { clock, save, has } = setUp()
  await save('a')
  await clock.advance(599_999)
  assert.deepEqual(await has('a'), [true])
  await clock.advance(1)
  assert.deepEqual(await has('a'), [false])
})

test('when it is full, new calls are refused, saying until when', async () => {
  const { clock, store, save, has } = setUp({ maxCount: 3, keepMs: 1_000 })
  await save('a')
  await clock.advance(100)
  await save('b')
  store.makeRoom(0)
  assert.throws(() => store.makeRoom(1), {
    code: 'RESOURCE_EXHAUSTED',
    message:
      /^2 results of 20 bytes wait to be collected here, and 1 calls run; the call was not run$/,
    details: { limit: 'results', maxCount: 3, maxBytes: 64 * 1024 * 1024, retryAfterMs: 900 },
  })
  assert.deepEqual(await has('a', 'b'), [true, true])
  await clock.advance(900)
  store.makeRoom(1)
})

test('its bytes are bounded as its results are', async () => {
  const { store, save } = setUp({ maxBytes: 100 })
  await save('a', 99)
  store.makeRoom(0)
  await save('b', 1)
  assert.throws(() => store.makeRoom(0), { code: 'RESOURCE_EXHAUSTED' })
})

test('what was collected goes first, the oldest ahead; what was not stays', async () => {
  const { store, save, has } = setUp({ maxCount: 3 })
  for (const token of ['a', 'b', 'c']) await save(token)
  store.collected(['c', 'b', 'nobody'])
  store.makeRoom(0)
  assert.deepEqual(await has('a', 'b', 'c'), [true, true, false])
  await save('d')
  store.makeRoom(0)
  assert.deepEqual(await has('a', 'b', 'd'), [true, false, true])
  await save('e')
  assert.throws(() => store.makeRoom(0), { code: 'RESOURCE_EXHAUSTED' })
})

test('a result that is too large, or finds no room, is told as lost; a short one always fits', async () => {
  const { store, save, has } = setUp({ maxBytes: 3_000, maxBytesEach: 2_000 })
  await assert.rejects(save('large', 2_001), {
    code: 'RESULT_LOST',
    message: 'the call ran, but its result of 2001 bytes is over the 2000 that are kept',
  })
  await save('a', 2_000)
  await assert.rejects(save('b', 1_500), { code: 'RESULT_LOST', message: /no room for its 1500/ })
  await save('c', 1_024)
  assert.deepEqual(await has('a', 'b', 'c'), [true, false, true])
  store.collected(['a'])
  await save('d', 1_500)
  assert.deepEqual(await has('a', 'd'), [false, true])
})

test('closing forgets everything and stops its timer', async () => {
  const { clock, store, save, has } = setUp()
  await save('a')
  store.close()
  assert.deepEqual([await has('a'), store.size, store.bytes, clock.waiting], [[false], 0, 0, 0])
})
