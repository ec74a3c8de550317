import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDrafts } from './drafts.ts'
import { browserStorage, type KeyValueStorage, memoryStorage } from './key-value-storage.ts'

/** The part of a browser's `Storage` that is used, with room for a number of characters. */
function storageWith(room: number): Storage {
  const entries: Record<string, string> = {}
  const methods = {
    getItem: (key: string) => entries[key] ?? null,
    setItem(key: string, value: string) {
      if (value.length > room) throw new DOMException('full', 'QuotaExceededError')
      entries[key] = value
      Object.defineProperty(methods, key, { value, enumerable: true, configurable: true })
    },
    removeItem(key: string) {
      delete entries[key]
      Reflect.deleteProperty(methods, key)
    },
  }
  return methods as unknown as Storage
}

const forms: [string, () => KeyValueStorage][] = [
  ['memory', memoryStorage],
  ['browser', () => browserStorage(storageWith(100))],
  ['full browser', () => browserStorage(storageWith(0))],
]

for (const [name, create] of forms) {
  test(`${name}: keeps, lists by prefix, replaces and removes`, () => {
    const storage = create()
    storage.set('a.1', 'one')
    storage.set('a.2', 'two')
    storage.set('b.1', 'other')
    storage.set('a.1', 'new')
    assert.deepEqual(storage.keys('a.').sort(), ['a.1', 'a.2'])
    assert.equal(storage.get('a.1'), 'new')
    storage.remove('a.1')
    assert.equal(storage.get('a.1'), undefined)
    assert.deepEqual(storage.keys('a.'), ['a.2'])
  })
}

test('drafts are kept by user and conversation, and empty ones are forgotten', () => {
  const storage = memoryStorage()
  const drafts = createDrafts(storage, 'u_ada00000')
  drafts.set('c_1', 'half a sent')
  assert.equal(createDrafts(storage, 'u_ada00000').get('c_1'), 'half a sent')
  assert.equal(createDrafts(storage, 'u_bob00000').get('c_1'), '')
  drafts.set('c_1', '')
  assert.deepEqual(storage.keys(''), [])
})
