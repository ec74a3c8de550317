import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Message, Receipt } from '../contracts/messages.ts'
import { ann, bob, startMessageService } from '../testing/message-service.ts'

const user = fc.constantFrom(ann, bob)
const clientId = fc.nat(12).map((n) => `client-id-${n}`)

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ is: fc.constant('send' as const), user, clientId }) },
  {
    weight: 1,
    arbitrary: fc.record({ is: fc.constant('send other text' as const), user, clientId }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('acknowledge' as const),
      user,
      deliveredSeq: fc.option(fc.nat(40), { nil: undefined }),
      readSeq: fc.option(fc.nat(40), { nil: undefined }),
    }),
  },
)
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never

/** Runs actions, those of one group at one moment, and holds the service to what it promised. */
async function hold(groups: Action[][], service: Awaited<ReturnType<typeof startMessageService>>) {
  const { api } = service
  const { id } = await api.openDirect({ userId: ann, friendId: bob })
  const promised = new Map<string, Message>()
  const receipts = new Map<string, Receipt>()

  async function run(next: Action): Promise<void> {
    if (next.is === 'acknowledge') {
      const { user: userId, deliveredSeq, readSeq } = next
      const receipt = await api.acknowledge({ conversationId: id, userId, deliveredSeq, readSeq })
      return checkForward(receipts, receipt)
    }
    const text = next.is === 'send' ? `text of ${next.clientId}` : 'another text'
    const draft = { conversationId: id, senderId: next.user, clientId: next.clientId, text }
    const key = `${next.user} ${next.clientId}`
    const result = await api.send(draft).catch((error) => {
      assert.ok(api.send.isError(error, 'CLIENT_ID_REUSED'))
    })
    if (!result) return
    assert.deepEqual(result, promised.get(key) ?? result)
    promised.set(key, result)
  }

  for (const group of groups) {
    await Promise.all(group.map(run))
    const messages = await api.messages({ userId: ann, conversationId: id, limit: 200 })
    assert.deepEqual(
      messages.map(({ seq }) => seq),
      messages.map((_, index) => index + 1),
    )
    const keys = messages.map(({ senderId, clientId }) => `${senderId} ${clientId}`)
    assert.equal(new Set(keys).size, keys.length)
    for (const [key, message] of promised) assert.deepEqual(messages[message.seq - 1], message, key)
    assert.equal(promised.size, messages.length)
    const [conversation] = (await api.list({ userId: bob })).conversations
    assert.equal(conversation?.lastSeq, messages.length)
    for (const receipt of conversation?.receipts ?? []) {
      checkForward(receipts, receipt)
      const own = messages.filter(({ senderId }) => senderId === receipt.userId)
      assert.ok(receipt.readSeq >= (own.at(-1)?.seq ?? 0))
      assert.ok(receipt.readSeq <= receipt.deliveredSeq)
      assert.ok(receipt.deliveredSeq <= messages.length)
    }
  }
}

function checkForward(receipts: Map<string, Receipt>, now: Receipt): void {
  const before = receipts.get(now.userId)
  assert.ok(now.deliveredSeq >= (before?.deliveredSeq ?? 0))
  assert.ok(now.readSeq >= (before?.readSeq ?? 0))
  receipts.set(now.userId, now)
}

test('whatever two users send, resend and read: no gap, no double, nothing back', async (t) => {
  const groups = fc.array(fc.array(action, { minLength: 1, maxLength: 8 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(groups, async (list) => {
      const service = await startMessageService(t)
      await hold(list, service)
    }),
    { numRuns: 100 },
  )
})
