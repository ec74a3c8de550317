import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutUser } from './without-user.ts'

test('a name and a password are left out, however they are written', () => {
  const shown: [url: string, expected: string][] = [
    ['redis://host:6379', 'redis://host:6379'],
    ['redis://user:sesame@host:6379/0', 'redis://host:6379/0'],
    ['redis://:ses@me@host', 'redis://host'],
    ['http://user:se/s@me@host:80', 'http://host:80'],
    ['http://user:se\ns@host', 'http://host'],
    ['file:.covey/registry', 'file:.covey/registry'],
    ['', ''],
  ]
  for (const [url, expected] of shown) assert.equal(withoutUser(url), expected)
})
