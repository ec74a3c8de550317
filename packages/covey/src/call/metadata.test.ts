import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noMetadata, toMetadata } from './metadata.ts'

test('names become lower case, values text', () => {
  const metadata = toMetadata({ 'X-Tenant': 'blue', retry_of: 3 as unknown as string })
  assert.deepEqual(
    [...metadata],
    [
      ['x-tenant', 'blue'],
      ['retry_of', '3'],
    ],
  )
})

test('a call without metadata shares one empty map', () => {
  assert.equal(toMetadata(undefined), noMetadata)
})

test('names of other characters are refused', () => {
  for (const name of ['', 'two words', 'a:b', 'käse', 'line\nbreak', 'a/b']) {
    assert.throws(() => toMetadata({ [name]: 'x' }), {
      name: 'TypeError',
      message: new RegExp(`^metadata name ${RegExp.escape(JSON.stringify(name))}`),
    })
  }
})

test('a name of the prototype is a name like others', () => {
  const metadata = toMetadata(JSON.parse('{"__proto__": "x", "constructor": "y"}'))
  assert.deepEqual([...metadata.keys()], ['__proto__', 'constructor'])
  assert.equal(toMetadata({}).get('constructor'), undefined)
})
