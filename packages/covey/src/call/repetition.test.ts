import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireHedgeable, toRepetition } from './repetition.ts'

test('no wish means those of the client, as they are', () => {
  assert.equal(toRepetition({}, 't'), undefined)
  const client = { maxAttempts: 2, hedge: undefined }
  assert.equal(toRepetition({}, 't', client), client)
})

test('a wish of the call wins, each by itself', () => {
  const client = { maxAttempts: 2, hedge: { afterMs: 5, attempts: 3 } }
  assert.deepEqual(toRepetition({ retry: false }, 't', client), { ...client, maxAttempts: 1 })
  assert.deepEqual(toRepetition({ retry: { attempts: 5 } }, 't', client), {
    ...client,
    maxAttempts: 5,
  })
  assert.deepEqual(toRepetition({ hedge: false }, 't', client), { ...client, hedge: undefined })
  assert.deepEqual(toRepetition({ hedge: { afterMs: 20 } }, 't', client)?.hedge, {
    afterMs: 20,
    attempts: 2,
  })
})

test('numbers that make no sense are refused, with the name of the method', () => {
  for (const attempts of [0, 11, 1.5, Number.NaN, '3' as unknown as number]) {
    assert.throws(() => toRepetition({ retry: { attempts } }, 'users.get'), {
      name: 'TypeError',
      message: `users.get: retry.attempts: expected 1 to 10, found ${attempts}`,
    })
  }
  for (const afterMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => toRepetition({ hedge: { afterMs } }, 'users.get'), {
      message: `users.get: hedge.afterMs: expected milliseconds, found ${afterMs}`,
    })
  }
  assert.throws(() => toRepetition({ hedge: { afterMs: 1, attempts: 1 } }, 't'), {
    message: 't: hedge.attempts: expected 2 to 10, found 1',
  })
})

test('only idempotent unary methods may be hedged', () => {
  const hedge = { afterMs: 5 }
  const fine = { kind: 'unary', idempotent: true } as const
  assert.doesNotThrow(() => requireHedgeable(fine, 't', { hedge }))
  for (const method of [
    { kind: 'unary', idempotent: false } as const,
    { kind: 'serverStream', idempotent: true } as const,
  ]) {
    assert.throws(() => requireHedgeable(method, 'users.add', { hedge }), {
      name: 'TypeError',
      message: /^users\.add: hedge is for unary methods with `idempotent: true`/,
    })
    for (const none of [{}, { hedge: false } as const]) {
      assert.doesNotThrow(() => requireHedgeable(method, 't', none))
    }
  }
})
