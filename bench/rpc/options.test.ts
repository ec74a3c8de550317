import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRpcOptions, type RpcOptions, rpcUsage } from './options.ts'
import { scenarioNames } from './scenario.ts'
import { subjectNames } from './subjects.ts'

const parse = (args: string[]) => parseRpcOptions(args) as RpcOptions

test('--help names every option', () => {
  assert.equal(parseRpcOptions(['--rounds', '2', '--help']), 'help')
  const names = Object.keys(parse([])).map((name) => (name === 'scenarios' ? 'scenario' : name))
  for (const name of names) assert.match(rpcUsage, new RegExp(`^  --${name} `, 'm'))
})

test('without arguments: all subjects and scenarios, short rounds, a table', () => {
  assert.deepEqual(parseRpcOptions([]), {
    json: false,
    full: false,
    pin: false,
    seconds: 1.5,
    rounds: 3,
    only: subjectNames,
    scenarios: scenarioNames,
  })
})

test('--full measures longer unless told how long', () => {
  assert.equal(parse(['--full']).seconds, 3)
  assert.equal(parse(['--full', '--seconds', '1']).seconds, 1)
})

test('--only and --scenario pick and keep the order of the report', () => {
  const args = ['--only', 'nestjs,covey', '--scenario', 'bulk,unary', '--json', '--pin']
  const { only, scenarios, json, pin } = parse(args)
  assert.deepEqual(
    { only, scenarios, json, pin },
    {
      only: ['covey', 'nestjs'],
      scenarios: ['unary', 'bulk'],
      json: true,
      pin: true,
    },
  )
})

test('refuses what makes no sense', () => {
  assert.throws(() => parseRpcOptions(['--only', 'dubbo']), /no subject 'dubbo'; there are: covey/)
  assert.throws(() => parseRpcOptions(['--scenario', 'all']), /no scenario 'all'; there are: unary/)
  assert.throws(() => parseRpcOptions(['--seconds', '0']), /--seconds/)
  assert.throws(() => parseRpcOptions(['--seconds', 'soon']), /--seconds/)
  assert.throws(() => parseRpcOptions(['--rounds', '1.5']), /--rounds/)
  assert.throws(() => parseRpcOptions(['--fast']), /--fast/)
})
