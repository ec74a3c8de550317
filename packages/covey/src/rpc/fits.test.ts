import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleInstance } from '../testing/registry-suite.ts'
import { fits } from './fits.ts'

const labels = { group: 'canary', version: '2.1.0', zone: 'eu', tags: ['gpu', 'new'] }
const instance = sampleInstance('a', labels)

test('all wishes must be met', () => {
  assert.ok(fits(instance, {}))
  assert.ok(fits(instance, { key: 'anything' }))
  assert.ok(fits(instance, { instance: 'a', group: 'canary', version: '2.1.0', zone: 'eu' }))
  for (const wrong of [{ instance: 'b' }, { group: 'Canary' }, { zone: 'e' }, { version: '3' }]) {
    assert.ok(!fits(instance, { group: 'canary', ...wrong }), JSON.stringify(wrong))
    assert.ok(!fits(sampleInstance('x'), wrong))
  }
})

test('a version fits as a whole or by the parts before a dot', () => {
  for (const version of ['2', '2.1', '2.1.0']) assert.ok(fits(instance, { version }), version)
  for (const version of ['', '2.', '1', '2.1.', '2.10', '2.1.0.0', '21', '2.1.0-rc', '.1']) {
    assert.ok(!fits(instance, { version }), version)
  }
  assert.ok(!fits(sampleInstance('a', { version: '20.1.0' }), { version: '2' }))
})

test('all tags must be there', () => {
  assert.ok(fits(instance, { tags: ['new', 'gpu'] }))
  assert.ok(!fits(instance, { tags: ['gpu', 'old'] }))
  assert.ok(!fits(sampleInstance('a'), { tags: ['gpu'] }))
})

test('an instance goes by the id that it told', () => {
  assert.ok(fits(instance, { instance: 'users-1' }, 'users-1'))
  assert.ok(!fits(instance, { instance: 'a' }, 'users-1'))
})
