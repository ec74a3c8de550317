import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ann, bob, startMessageService } from '../testing/message-service.ts'
import { maxPageBytes } from './page.ts'

async function withMessages(t: TestContext, count: number) {
  const service = await startMessageService(t)
  const { id } = await service.api.openDirect({ userId: ann, friendId: bob })
  const texts = Array.from({ length: count }, (_, i) => `text ${i + 1}`)
  await Promise.all(texts.map((text) => service.send(id, ann, text)))
  const seqs = async (range: { afterSeq?: number; beforeSeq?: number; limit?: number }) =>
    (await service.api.messages({ userId: bob, conversationId: id, ...range })).map(
      ({ seq }) => seq,
    )
  return { ...service, id, seqs }
}

test('a range is the newest of it, or the oldest when it has a beginning, always ascending', async (t) => {
  const { seqs } = await withMessages(t, 100)
  assert.deepEqual((await seqs({})).length, 50)
  assert.deepEqual(await seqs({ limit: 3 }), [98, 99, 100])
  assert.deepEqual(await seqs({ beforeSeq: 98, limit: 3 }), [95, 96, 97])
  assert.deepEqual(await seqs({ afterSeq: 0, limit: 3 }), [1, 2, 3])
  assert.deepEqual(await seqs({ afterSeq: 97 }), [98, 99, 100])
  assert.deepEqual(await seqs({ afterSeq: 10, beforeSeq: 13 }), [11, 12])
  assert.deepEqual(await seqs({ afterSeq: 100 }), [])
  assert.deepEqual(await seqs({ beforeSeq: 1 }), [])
  assert.deepEqual(await seqs({ afterSeq: 20, beforeSeq: 5 }), [])
})

test('a page of long texts is shorter than asked for, without a hole', async (t) => {
  const { id, send, seqs, api } = await withMessages(t, 0)
  const long = '漢'.repeat(8_000)
  for (let i = 0; i < 20; i++) await send(id, ann, long)
  const newest = await api.messages({ userId: bob, conversationId: id, limit: 200 })
  assert.ok(newest.length >= 1 && newest.length * 24_000 <= maxPageBytes)
  assert.equal(newest.at(-1)?.seq, 20)
  const found: number[] = []
  while (found.length < 20) {
    const page = await seqs({ afterSeq: found.at(-1) ?? 0, limit: 200 })
    assert.equal(page[0], (found.at(-1) ?? 0) + 1)
    found.push(...page)
  }
  assert.deepEqual(
    found,
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
})

test('conversations come by activity, in pages that join without hole or double', async (t) => {
  const { api, send, clock, setFriends } = await startMessageService(t)
  const ids: string[] = []
  for (let i = 0; i < 230; i++) {
    const friendId = `u_friend-${i}`
    setFriends(ann, friendId, true)
    const { id } = await api.openDirect({ userId: ann, friendId })
    ids.unshift(id)
    // Some at the same time, to be told apart by their ids.
    if (i % 3 === 0) await clock.advance(10)
    await send(id, ann, i % 50 === 0 ? 'x'.repeat(8_000) : 'short')
  }
  await clock.advance(10)
  await send(ids[200]!, ann, 'newest of all')
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await api.list({ userId: ann, ...(after === undefined ? {} : { after }) })
    assert.ok(page.conversations.length <= 100)
    seen.push(...page.conversations.map(({ id }) => id))
    after = page.next ?? undefined
  } while (after !== undefined)
  assert.equal(seen[0], ids[200])
  assert.equal(new Set(seen).size, 230)
  assert.deepEqual(seen.toSorted(), ids.toSorted())
})

test('a cursor that is none is refused', async (t) => {
  const { api } = await startMessageService(t)
  for (const after of ['x', '1', "1_c_'; --", '-1_c_aaaaaaaa']) {
    await assert.rejects(api.list({ userId: ann, after }), { code: 'INVALID_INPUT' })
  }
})
