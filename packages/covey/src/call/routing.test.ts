import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeRouting, toRouting } from './routing.ts'

const nothing = { instance: undefined, group: undefined, version: undefined, zone: undefined }

test('no wish of the call means those of its client, as they are', () => {
  assert.equal(toRouting({}), undefined)
  const client = { group: 'canary' }
  assert.equal(toRouting({}, client), client)
})

test('a wish of the call wins, each by itself', () => {
  const client = { group: 'canary', version: '2', tags: ['gpu'], key: 'k' }
  assert.deepEqual(toRouting({ group: 'blue' }, client), {
    ...nothing,
    ...client,
    group: 'blue',
  })
  assert.deepEqual(toRouting({ version: '3', zone: 'eu', tag: 'a', key: 'x' }, client), {
    ...nothing,
    group: 'canary',
    version: '3',
    zone: 'eu',
    tags: ['a'],
    key: 'x',
  })
  assert.equal(toRouting({ instance: 'i7' })?.instance, 'i7')
})

test('tags are one or several; none of them is no wish', () => {
  assert.deepEqual(toRouting({ tag: 'gpu' })?.tags, ['gpu'])
  assert.deepEqual(toRouting({ tag: ['gpu', 'eu'] })?.tags, ['gpu', 'eu'])
  assert.equal(toRouting({ tag: [] }, { tags: ['gpu'] })?.tags, undefined)
})

test('wishes are told as people read them', () => {
  assert.equal(describeRouting({ key: 'k' }), '')
  assert.equal(
    describeRouting({ instance: 'i', group: 'g', version: '2', zone: 'z', tags: ['a', 'b'] }),
    'instance i, group g, version 2, zone z, tags a + b',
  )
})
