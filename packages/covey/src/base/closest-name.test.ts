import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closestName } from './closest-name.ts'

const names = ['entry', 'replicas', 'env', 'restart', 'stopTimeoutMs']

test('a near name is found, whatever the slip', () => {
  assert.equal(closestName('replica', names), 'replicas')
  assert.equal(closestName('repilcas', names), 'replicas')
  assert.equal(closestName('Entry', names), 'entry')
  assert.equal(closestName('stopTimeout', names), 'stopTimeoutMs')
  assert.equal(closestName('evn', names), 'env')
})

test('a name that is far from all is not guessed', () => {
  assert.equal(closestName('colour', names), undefined)
  assert.equal(closestName('x', names), undefined)
  assert.equal(closestName('entry', []), undefined)
})

test('the nearest of several wins', () => {
  assert.equal(closestName('usr', ['use', 'user', 'used']), 'use')
  assert.equal(closestName('restrat', ['restarts', 'restart']), 'restart')
})
