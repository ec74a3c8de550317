import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sampleInstance } from '../testing/registry-suite.ts'
import { entryName, formatEntry, parseEntry, parseEntryName } from './file-entry.ts'

const holder = { machine: '0123456789ab', pid: 42, started: '777' }
const nonce = 'ffffffffffff'

test('a name tells whose entry it is and who holds it', () => {
  const name = entryName('user-0', holder, nonce)
  assert.equal(name, 'user-0@0123456789ab-42-777-ffffffffffff.json')
  assert.deepEqual(parseEntryName(name), { name, id: 'user-0', holder, temporary: false })
  assert.equal(parseEntryName(`${name}.tmp`)?.temporary, true)
})

test('names that no registry gives are no entries', () => {
  const name = entryName('a', holder, nonce)
  const wrong = [
    '',
    'a.json',
    `../${name}`,
    `${name}.json`,
    name.replace('@', ''),
    name.toUpperCase(),
  ]
  for (const text of [...wrong, name.replace('-42-', '-0-'), ` ${name}`, `${name}\n`]) {
    assert.equal(parseEntryName(text), undefined, text)
  }
})

test('what is written is what is read', () => {
  const entry = parseEntryName(entryName('a', holder, nonce))!
  const instance = sampleInstance('a', { services: ['ä', '日本語'], state: 'draining' })
  assert.deepEqual(parseEntry(formatEntry(instance, holder), entry), instance)
})

test('an entry that is too large is not written', () => {
  const services = Array.from({ length: 1_000 }, (_, n) => `${'s'.repeat(100)}${n}`)
  assert.throws(() => formatEntry(sampleInstance('a', { services }), holder), {
    code: 'INVALID_INPUT',
    message: 'instance a: its entry is larger than 64 KiB',
  })
})

test('content that does not fit is refused with the reason', () => {
  const entry = parseEntryName(entryName('a', holder, nonce))!
  const content = JSON.parse(formatEntry(sampleInstance('a'), holder))
  const cases: [unknown, RegExp][] = [
    ['text', /not a JSON object/],
    [null, /not a JSON object/],
    [{ ...content, version: 2 }, /version: expected 1/],
    [{ ...content, pid: 43 }, /pid, started/],
    [{ ...content, started: '778' }, /pid, started/],
    [{ ...content, instance: sampleInstance('b') }, /instance.id/],
    [{ ...content, instance: { ...sampleInstance('a'), state: 'down' } }, /state: expected up/],
    [{ ...content, instance: undefined }, /id: expected/],
  ]
  for (const [value, reason] of cases) {
    assert.throws(() => parseEntry(JSON.stringify(value), entry), reason)
  }
  for (const text of ['', '{', '{"version":1', 'null x']) {
    assert.throws(() => parseEntry(text, entry), SyntaxError)
  }
})

test('property: damaged content is an error or an instance of this id, never more', () => {
  const entry = parseEntryName(entryName('a', holder, nonce))!
  const text = formatEntry(sampleInstance('a'), holder)
  const damage = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string())
  fc.assert(
    fc.property(damage, ([at, length, replacement]) => {
      const damaged = text.slice(0, at) + replacement + text.slice(at + length)
      let read: { id: string } | undefined
      try {
        read = parseEntry(damaged, entry)
      } catch (error) {
        assert.ok(error instanceof Error)
      }
      assert.ok(read === undefined || read.id === 'a')
    }),
  )
})
