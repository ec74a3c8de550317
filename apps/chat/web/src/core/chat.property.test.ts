import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import fc from 'fast-check'
import { unreadOf } from './conversation.ts'
import { healMs } from './sync.ts'
import { ada, ChatBench } from './testing/chat-bench.ts'
import type { Fate } from './testing/scripted-server.ts'

const fates: Fate[] = ['delivered', 'dropped', 'doubled', 'held']
const heals = ['UNAVAILABLE', 'CONNECTION_LOST', 'DEADLINE_EXCEEDED', 'DEPENDENCY_UNAVAILABLE']

type Step = (bench: ChatBench) => Promise<void> | void

/** What may happen to a page, each named so that a failure can be read. */
const step: fc.Arbitrary<{ name: string; run: Step }> = fc.oneof(
  fc.nat({ max: 40 }).map((count) => ({
    name: `bob writes ${count}`,
    run: (bench: ChatBench) => {
      for (let number = 0; number < count; number++) bench.bobWrites(`from Bob ${number}`)
    },
  })),
  fc.nat({ max: 3 }).map((count) => ({
    name: `ada writes ${count}`,
    run: (bench: ChatBench) => {
      for (let number = 0; number < count; number++) bench.write()
    },
  })),
  fc.constantFrom(...fates).map((fate) => ({
    name: `pushes are ${fate}`,
    run: (bench: ChatBench) => {
      bench.server.fate = fate
      bench.server.release()
    },
  })),
  fc
    .tuple(
      fc.constantFrom('send', 'messages', 'conversations', 'acknowledge'),
      fc.constantFrom(...heals),
    )
    .map(([method, code]) => ({
      name: `next ${method} gets ${code}`,
      run: (bench: ChatBench) => {
        const errors = bench.server.refusals.get(method) ?? []
        bench.server.refusals.set(method, [...errors, new CoveyError(code, 'scripted')])
      },
    })),
  fc.constantFrom<{ name: string; run: Step }>(
    { name: 'connect', run: (bench) => bench.connect() },
    { name: 'disconnect', run: (bench) => bench.disconnect() },
    { name: 'break in the middle', run: (bench) => bench.server.disconnect() },
    { name: 'reload', run: (bench) => bench.reload() },
    { name: 'open', run: (bench) => bench.chat.select(bench.id) },
    { name: 'close', run: (bench) => bench.chat.select(undefined) },
    { name: 'look', run: (bench) => bench.chat.look(true) },
    { name: 'look away', run: (bench) => bench.chat.look(false) },
    { name: 'older', run: (bench) => void bench.chat.history.loadOlder(bench.id) },
    { name: 'an answer is lost', run: (bench) => void bench.server.lostAnswers++ },
    { name: 'a moment', run: (bench) => bench.clock.advance(0) },
    { name: 'a second', run: (bench) => bench.settle() },
  ),
)

test('whatever is lost, doubled, turned round or broken, the history ends whole and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const bench = new ChatBench()
      for (const { run } of steps) await run(bench)
      await heal(bench)
      assertWhole(bench)
      bench.chat.stop()
    }),
    { numRuns: 150 },
  )
})

/** Ends all faults and gives the page the time to come round. */
async function heal(bench: ChatBench): Promise<void> {
  bench.server.fate = 'delivered'
  bench.server.lostAnswers = 0
  bench.server.refusals.clear()
  await bench.disconnect()
  await bench.connect()
  bench.chat.select(bench.id)
  bench.chat.look(true)
  await bench.clock.advance(3 * healMs)
  for (let length = 0; length !== bench.texts.length; ) {
    length = bench.texts.length
    await bench.chat.history.loadOlder(bench.id)
  }
  await bench.settle()
}

function assertWhole(bench: ChatBench): void {
  const stored = bench.server.history(bench.id)
  assert.deepEqual(bench.conversation?.timeline?.messages, stored)
  assert.deepEqual(bench.outgoing, [])
  const own = stored.filter(({ senderId }) => senderId === ada.id).map(({ text }) => text)
  assert.deepEqual(own, bench.written)
  assert.equal(unreadOf(bench.conversation!, ada.id), 0)
  assert.equal(bench.server.receipt(bench.id, ada.id).readSeq, stored.length)
  assert.equal(bench.chat.state.get().struggling, false)
  assert.equal(bench.chat.state.get().connection.kind, 'online')
  assert.deepEqual(bench.reports, [])
}
