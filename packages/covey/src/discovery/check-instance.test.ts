import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CoveyError } from '../error/covey-error.ts'
import { sampleInstance } from '../testing/registry-suite.ts'
import { checkInstance, checkUpdate } from './check-instance.ts'

test('what fits comes out as a frozen copy of the known fields', () => {
  const given = { ...sampleInstance('a'), extra: { deep: true } }
  const checked = checkInstance(given)
  assert.deepEqual(checked, sampleInstance('a'))
  for (const part of [checked, checked.services, checked.addresses]) {
    assert.ok(Object.isFrozen(part))
  }
})

test('group, version, zone and tags are kept as far as they are there', () => {
  const labels = { group: 'canary', version: '2.1.0', zone: 'eu', tags: ['gpu', 'x'.repeat(100)] }
  const checked = checkInstance(sampleInstance('a', labels))
  assert.deepEqual(checked, sampleInstance('a', labels))
  assert.ok(Object.isFrozen(checked.tags))
  const none = { group: undefined, version: undefined, zone: undefined, tags: undefined }
  assert.deepEqual(checkInstance({ ...sampleInstance('a'), ...none }), sampleInstance('a'))
  const wrong = [{ group: '' }, { version: 2 }, { zone: 'x'.repeat(101) }, { tags: [''] }]
  for (const labels of [...wrong, { tags: Array(65).fill('x') }, { tags: 'x' }, { group: null }]) {
    const [path] = Object.keys(labels)
    assert.throws(
      () => checkInstance({ ...sampleInstance('a'), ...labels }),
      ({ code, details }: CoveyError) =>
        code === 'INVALID_INPUT' &&
        (details as { issues: { path: string }[] }).issues[0]?.path === path,
    )
  }
})

test('ids are safe as parts of file names', () => {
  for (const id of ['a', 'user-0', '7', 'A.b_c-9', 'x'.repeat(128)]) {
    assert.equal(checkInstance(sampleInstance(id)).id, id)
  }
  const wrong = ['', '.', '..', '../a', 'a/b', 'a\\b', '-a', '.a', 'a\0', 'a b', 'ä', 'a@b', 'a\n']
  for (const id of [...wrong, 'x'.repeat(129)]) {
    assert.throws(() => checkInstance(sampleInstance(id)), { code: 'INVALID_INPUT' }, id)
  }
})

test('addresses are URLs of any scheme that a transport may have', () => {
  const right = [
    'tcp://[::1]:1',
    'unix:/run/a.sock',
    'memory:a',
    'ws://a/b',
    'https://a',
    'carrier:a',
  ]
  assert.deepEqual(checkInstance(sampleInstance('a', { addresses: right })).addresses, right)
  for (const address of [
    '',
    'tcp',
    '//a',
    'javascript:1',
    'data:text/html,x',
    'file:///etc/passwd',
    `tcp://${'a'.repeat(3000)}`,
  ]) {
    const instance = sampleInstance('a', { addresses: [address] })
    assert.throws(() => checkInstance(instance), { code: 'INVALID_INPUT' }, address)
  }
  assert.throws(() => checkInstance(sampleInstance('a', { addresses: Array(33).fill('memory:a') })))
})

test('every field that is wrong is named', () => {
  assert.throws(() => checkInstance({ id: 'a', weight: 'x', state: 'up' }), {
    code: 'INVALID_INPUT',
    details: {
      issues: [
        { path: 'app', message: 'expected a name of up to 200 characters' },
        { path: 'services', message: 'expected up to 1000 names of up to 200 characters' },
        {
          path: 'addresses',
          message: 'expected up to 32 URLs like tcp://127.0.0.1:4100',
        },
        { path: 'weight', message: 'expected a number from 0 to 1000000' },
        { path: 'startedAtMs', message: 'expected milliseconds since 1970' },
      ],
    },
  })
})

test('an update keeps the id', () => {
  assert.deepEqual(checkUpdate(sampleInstance('a'), 'a'), sampleInstance('a'))
  assert.throws(() => checkUpdate(sampleInstance('b'), 'a'), {
    code: 'INVALID_INPUT',
    message: 'instance: id: expected a, for an id never changes',
  })
})

test('property: any JSON is either an instance or INVALID_INPUT, and changes no prototype', () => {
  const keys = Object.keys(sampleInstance('a'))
  const optional = ['group', 'version', 'zone', 'tags']
  const anyKey = fc.constantFrom(...keys, ...optional, '__proto__', 'constructor')
  const changes = fc.dictionary(anyKey, fc.jsonValue())
  fc.assert(
    fc.property(fc.jsonValue(), changes, (value, changed) => {
      for (const given of [value, { ...sampleInstance('a'), ...changed }]) {
        try {
          const known = Object.keys(checkInstance(given))
          assert.deepEqual(
            known.filter((key) => !optional.includes(key)),
            keys,
          )
        } catch (error) {
          assert.ok(error instanceof CoveyError && error.code === 'INVALID_INPUT', String(error))
        }
      }
      assert.deepEqual(Object.keys(Object.prototype), [])
    }),
  )
})
