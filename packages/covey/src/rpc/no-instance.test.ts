import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channelBench } from '../testing/channel-bench.ts'
import { sampleInstance } from '../testing/registry-suite.ts'

test('of many names the first ten are told', async () => {
  const { ask, list } = channelBench()
  const zones = Array.from({ length: 30 }, (_, n) => `z${n + 10}`)
  await list(...zones.map((zone, n) => sampleInstance(`i${n + 10}`, { zone })))
  const first = (letter: string) => zones.slice(0, 10).map((zone) => zone.replace('z', letter))
  await assert.rejects(ask({ routing: { zone: 'moon' } }), {
    code: 'UNAVAILABLE',
    message: `users (zone moon): none of the 30 in the registry fits; there are instances ${first('i').join(', ')}; zones ${first('z').join(', ')}`,
    details: {
      service: 'users',
      asked: { zone: 'moon' },
      instances: [],
      there: { instances: first('i'), groups: [], versions: [], zones: first('z'), tags: [] },
    },
  })
})

test('one that fits and is not connected is told with its reason', async () => {
  const { ask, list, at } = channelBench()
  await list('a', sampleInstance('b', { group: 'blue' }))
  at('b').state = 'draining'
  await assert.rejects(ask({ routing: { group: 'blue' } }), {
    code: 'UNAVAILABLE',
    message: 'users (group blue): b: draining',
  })
})

test('without any instance there is nothing to tell of', async () => {
  const { ask, list } = channelBench()
  await list()
  await assert.rejects(ask({ routing: { group: 'blue' } }), {
    message: 'users (group blue): no instance in the registry',
  })
})
