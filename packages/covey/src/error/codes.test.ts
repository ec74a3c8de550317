import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { codeEntry, codes } from './codes.ts'
import { CoveyError } from './covey-error.ts'

test('docs/errors.md says the same as the table', async () => {
  const text = await readFile(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => /^\| `[A-Z]/.test(line))
  const documented = rows.map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  )
  const expected = Object.entries(codes).map(([code, entry]) => [
    `\`${code}\``,
    String(entry.http),
    String(entry.grpc),
    entry.retry,
    entry.meaning,
    entry.fix,
  ])
  assert.deepEqual(documented, expected)
})

test('an unknown code is one that a contract declares', () => {
  assert.equal(codeEntry('USER_GONE').retry, 'never')
  assert.equal(codeEntry('toString').retry, 'never')
})

test('whatever is thrown becomes a CoveyError that shows nothing of the inside', () => {
  for (const thrown of [new Error('password 123'), 'text', 7, null, undefined, { a: 1 }]) {
    const error = CoveyError.from(thrown)
    assert.equal(error.code, 'INTERNAL')
    assert.equal(error.cause, thrown)
    assert.deepEqual(error.toData(), { code: 'INTERNAL', message: 'the service failed' })
  }
  const own = new CoveyError('NOT_FOUND', 'no such thing')
  assert.equal(CoveyError.from(own), own)
})

test('retryable follows the table and the contract', () => {
  assert.equal(new CoveyError('UNAVAILABLE', '').retryable(false), true)
  assert.equal(new CoveyError('CONNECTION_LOST', '').retryable(false), false)
  assert.equal(new CoveyError('CONNECTION_LOST', '').retryable(true), true)
  assert.equal(new CoveyError('NOT_FOUND', '').retryable(true), false)
})

test('an error survives the way over a wire', () => {
  const error = new CoveyError('USER_GONE', 'gone', { details: { id: '7' }, cause: new Error('x') })
  const copy = CoveyError.fromData(error.toData())
  assert.deepEqual([copy.code, copy.message, copy.details], ['USER_GONE', 'gone', { id: '7' }])
  assert.equal(copy.cause, undefined)
})
