import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instanceOfToken, newResultToken } from './result-token.ts'

test('a token names its instance and cannot be guessed', () => {
  const tokens = Array.from({ length: 1_000 }, () => newResultToken('users-1f2e~x'))
  assert.equal(new Set(tokens).size, 1_000)
  for (const token of tokens) {
    assert.match(token, /^users-1f2e~x~[A-Za-z0-9_-]{24}$/)
    assert.equal(instanceOfToken(token), 'users-1f2e~x')
  }
})

test('what is no token is refused', () => {
  const random = 'a'.repeat(24)
  const wrong = ['', 'x', '~', `~${random}`, 'users~short', `users~${'a'.repeat(21)}`]
  const odd = [
    `us ers~${random}`,
    `users~${random}!`,
    `users~${random}\n`,
    `${'u'.repeat(600)}~${random}`,
  ]
  for (const token of [...wrong, ...odd, 7, null, undefined, {}]) {
    assert.throws(() => instanceOfToken(token), { code: 'INVALID_INPUT' }, String(token))
  }
  assert.equal(instanceOfToken(`u~${'a'.repeat(22)}`), 'u')
})
