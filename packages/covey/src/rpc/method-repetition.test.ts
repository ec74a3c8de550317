import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../call/call.ts'
import type { Repetition, RepetitionOptions } from '../call/repetition.ts'
import type { CallOptions } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { unary } from '../contract/method.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { contractClient } from './contract-client.ts'

const users = defineContract('users', {
  get: unary({ idempotent: true }),
  rare: unary({ idempotent: true, retry: { attempts: 5 }, hedge: { afterMs: 70 } }),
  add: unary({ retry: false }),
})

/** What the calls of a client say of their repetition. */
function bench(repetition?: RepetitionOptions) {
  const calls: Call[] = []
  const api = contractClient(users, {
    clock: new FakeClock(),
    repetition,
    currentCall: () => undefined,
    async invoke(call) {
      calls.push(call)
    },
  })
  return async (name: keyof typeof api, wishes?: CallOptions): Promise<Repetition | undefined> => {
    await api[name](undefined, wishes)
    return calls.at(-1)?.repetition
  }
}

const twice = { afterMs: 5, attempts: 2 }

test('a call says nothing of it unless somebody did', async () => {
  assert.equal(await bench()('get'), undefined)
  assert.equal(await bench()('get', { timeoutMs: 7 }), undefined)
})

test('what the contract says counts for all its callers', async () => {
  const ask = bench()
  assert.deepEqual(await ask('rare'), { maxAttempts: 5, hedge: { afterMs: 70, attempts: 2 } })
  assert.deepEqual(await ask('add'), { maxAttempts: 1, hedge: undefined })
})

test('a client says more than the contract, a call more than its client', async () => {
  const ask = bench({ retry: { attempts: 2 }, hedge: { afterMs: 5 } })
  assert.deepEqual(await ask('get'), { maxAttempts: 2, hedge: twice })
  assert.deepEqual(await ask('rare'), { maxAttempts: 2, hedge: twice })
  assert.deepEqual(await ask('rare', { hedge: false }), { maxAttempts: 2, hedge: undefined })
  assert.deepEqual(await ask('get', { retry: false }), { maxAttempts: 1, hedge: twice })
  // Never hedged, and nobody is bothered with it who did not ask for this call.
  assert.deepEqual(await ask('add'), { maxAttempts: 2, hedge: undefined })
})

test('the same object serves all calls of a method that add nothing', async () => {
  const ask = bench({ retry: false })
  assert.equal(await ask('get'), await ask('get', { timeoutMs: 5 }))
})

test('options that make no sense are refused when the client is made', () => {
  assert.throws(() => bench({ retry: { attempts: 0 } }), {
    message: 'the client of users: retry.attempts: expected 1 to 10, found 0',
  })
  assert.throws(() => bench({ hedge: { afterMs: -1 } }), TypeError)
})

test('whoever waits for the result of a ticket is not repeated: it asks again by itself', async () => {
  const calls: Call[] = []
  const api = contractClient(users, {
    clock: new FakeClock(),
    currentCall: () => undefined,
    async invoke(call) {
      calls.push(call)
      return [{ state: 'done', value: 7 }]
    },
  })
  await api.get.ticket(`i1~${'A'.repeat(24)}`).result()
  assert.equal(calls[0]?.repetition?.maxAttempts, 1)
})
