import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRpcOptions } from './benchmark.ts'

test('without arguments: all subjects, five seconds, three rounds, a table', () => {
  assert.deepEqual(parseRpcOptions([]), {
    json: false,
    seconds: 5,
    rounds: 3,
    only: ['covey', 'bareJson', 'grpcJs', 'moleculer', 'nestjs'],
  })
})

test('--only picks subjects and keeps the order of the report', () => {
  const options = parseRpcOptions(['--only', 'nestjs,covey', '--json', '--seconds', '0.5'])
  assert.deepEqual(options, { json: true, seconds: 0.5, rounds: 3, only: ['covey', 'nestjs'] })
})

test('refuses what makes no sense', () => {
  assert.throws(() => parseRpcOptions(['--only', 'dubbo']), /no subject 'dubbo'; there are: covey/)
  assert.throws(() => parseRpcOptions(['--seconds', '0']), /--seconds/)
  assert.throws(() => parseRpcOptions(['--seconds', 'soon']), /--seconds/)
  assert.throws(() => parseRpcOptions(['--rounds', '1.5']), /--rounds/)
  assert.throws(() => parseRpcOptions(['--fast']), /--fast/)
})
