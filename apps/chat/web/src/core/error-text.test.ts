import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CoveyError } from 'covey/client'
import { memberErrors, sendErrors } from '../../../contracts/messages.ts'
import { answerErrors, requestErrors } from '../../../contracts/people.ts'
import { users } from '../../../contracts/users.ts'
import { errorText, retryAfterMs } from './error-text.ts'

const unknown = errorText(new CoveyError('INTERNAL', 'secret of the server'))

test('every error that the contracts declare has its own sentence', () => {
  const { logIn, register } = users.methods
  const declared = [
    memberErrors,
    sendErrors,
    requestErrors,
    answerErrors,
    logIn.errors,
    register.errors,
  ]
  for (const code of declared.flatMap((errors) => Object.keys(errors))) {
    const text = errorText(new CoveyError(code, 'for programs'))
    assert.notEqual(text, unknown, code)
    assert.match(text, /^[A-Z].*\.$/, code)
  }
})

test('nothing of the inside of the server is shown', () => {
  assert.equal(unknown, 'Something went wrong on the server.')
})

test('input that was refused says why', () => {
  const details = { issues: [{ path: 'text', message: 'at most 8,000 characters' }] }
  const error = new CoveyError('INVALID_INPUT', 'x', { details })
  assert.equal(errorText(error), 'At most 8,000 characters.')
  assert.equal(errorText(new CoveyError('INVALID_INPUT', 'x')), 'This was not accepted.')
})

test('only a sensible wait is taken from an error', () => {
  const wait = (details: unknown) => retryAfterMs(new CoveyError('TOO_FAST', 'x', { details }))
  assert.equal(wait({ retryAfterMs: 300 }), 300)
  for (const details of [undefined, null, {}, { retryAfterMs: '9' }, { retryAfterMs: -1 }]) {
    assert.equal(wait(details), 0)
  }
})
