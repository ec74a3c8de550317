import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCancelled } from './as-cancelled.ts'
import { codeEntry } from './codes.ts'
import { CoveyError } from './covey-error.ts'

test('a reason of ours stays as it is, any other is the cause', () => {
  const reason = new CoveyError('DEADLINE_EXCEEDED', 'too late')
  assert.equal(asCancelled(reason), reason)
  const cause = new Error('enough')
  const { code, message, cause: kept } = asCancelled(cause, 'the batch was cancelled')
  assert.deepEqual([code, message, kept], ['CANCELLED', 'the batch was cancelled', cause])
})

for (const code of ['UNAVAILABLE', 'DRAINING', 'RESOURCE_EXHAUSTED']) {
  test(`${code} as a reason does not say that the call was not run`, () => {
    const reason = new CoveyError(code, 'somewhere else')
    const error = asCancelled(reason)
    assert.equal(codeEntry(error.code).retry, 'never')
    assert.equal(error.cause, reason)
  })
}
