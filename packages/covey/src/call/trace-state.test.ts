import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceState } from './trace-state.ts'

const many = (count: number) => Array.from({ length: count }, (_, n) => `k${n}=v`)

test('lists that are as they have to be are kept, without blanks around their members', () => {
  const right: [given: string, kept: string][] = [
    ['rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['a=1 , \tb=2\t,, ,c=3,', 'a=1,b=2,c=3'],
    ['fw529a3039@dt=FfD0000', 'fw529a3039@dt=FfD0000'],
    ['0tenant_-*/x@sys=a b', '0tenant_-*/x@sys=a b'],
    ['1a=!"#$%&\'()*+-./:;<>?@[]^_`{|}~', '1a=!"#$%&\'()*+-./:;<>?@[]^_`{|}~'],
    [`${'k'.repeat(256)}=${'v'.repeat(255)}`, `${'k'.repeat(256)}=${'v'.repeat(255)}`],
    [many(32).join(','), many(32).join(',')],
    ['', ''],
    [' ', ''],
  ]
  for (const [given, kept] of right) assert.equal(readTraceState(given), kept)
})

test('one wrong member, and nothing is kept', () => {
  const wrong = [
    'a',
    'a=',
    '=1',
    'A=1',
    'a=1=2',
    '_a=1',
    'a@B=1',
    'a@1=1',
    'a@@b=1',
    'a b=1',
    'a=\u00e9',
    'a=1\n',
    'a=1\x7f',
    'a=\x001',
    `${'k'.repeat(257)}=1`,
    `a=${'v'.repeat(257)}`,
    `a@${'s'.repeat(15)}=1`,
    'a=1,b=2,a=3',
    many(33).join(','),
    ','.repeat(16 * 512),
  ]
  for (const text of wrong.slice(0, -1)) {
    assert.equal(readTraceState(text), '', text)
    assert.equal(readTraceState(`b=2,${text}`), '', text)
  }
  assert.equal(readTraceState(`a=1${wrong.at(-1)}`), '')
})

test('a long list loses its large members first, then its last ones', () => {
  const small = Array.from({ length: 8 }, (_, n) => `k${n}=${'v'.repeat(57)}`)
  const [large, larger] = [`large=${'v'.repeat(140)}`, `larger=${'v'.repeat(240)}`]
  const all = [large, ...small.slice(0, 4), larger, ...small.slice(4)]
  assert.equal(readTraceState(all.join(',')), small.join(','))
  const tooMany = Array.from({ length: 12 }, (_, n) => `k${n}=${'v'.repeat(57)}`)
  const kept = readTraceState(tooMany.join(','))
  assert.ok(kept.length <= 512)
  assert.equal(kept, tooMany.slice(0, kept.split(',').length).join(','))
  assert.equal(kept.split(',').length, 8)
})

test('no text takes long', () => {
  const started = performance.now()
  for (const text of [
    'a'.repeat(8_000),
    `${'a'.repeat(240)}@`.repeat(30),
    `a${' '.repeat(8_000)}b`,
  ]) {
    readTraceState(text)
  }
  assert.ok(performance.now() - started < 50)
})
