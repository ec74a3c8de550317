import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import type { Client } from '../contract/client.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { serverStream, unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createClient } from './create-client.ts'
import { describedContract } from './described-contract.ts'
import { reflect } from './reflect.ts'
import { createRuntime } from './runtime.ts'
import { stats } from './stats.ts'

const shop = defineContract('shop', {
  price: unary({
    input: z.object({ item: z.string() }),
    output: z.number(),
    errors: { NO_SUCH_ITEM: z.object({ item: z.string() }) },
  }),
  countdown: serverStream({ input: z.number(), output: z.number() }),
})

const shopService = defineService(shop, {
  price({ item }, call) {
    if (item !== 'tea') throw call.error('NO_SUCH_ITEM', { item })
    return 250
  },
  async *countdown(from) {
    for (let n = from; n > 0; n--) yield n
  },
})

test('what an instance says of itself is enough to call it', async () => {
  await using server = createRuntime({ registry: new MemoryRegistry() })
  await using outside = createRuntime({ registry: new MemoryRegistry() })
  const options = { name: 'shop', services: [shopService], runtime: server, ownsProcess: false }
  await using app = createApp(options)
  await app.start()
  const wishes = { target: app.address, runtime: outside }

  const contracts = await createClient(reflect, wishes).contracts()
  assert.deepEqual(
    contracts.map(({ name }) => name),
    ['shop', 'covey.health', 'covey.stats', 'covey.results', 'covey.reflect'],
  )
  const contract = describedContract(contracts[0]!)
  const api = createClient(contract, wishes) as unknown as Client<typeof shop>
  assert.equal(await api.price({ item: 'tea' }), 250)
  const gone = await api.price({ item: 'ink' }).catch((error: unknown) => error)
  assert.ok(api.price.isError(gone, 'NO_SUCH_ITEM'))
  assert.deepEqual(gone.details, { item: 'ink' })
  const numbers: number[] = []
  for await (const n of api.countdown(3)) numbers.push(n)
  assert.deepEqual(numbers, [3, 2, 1])

  const report = await createClient(stats, wishes).read()
  assert.equal(report.app, 'shop')
  assert.equal(report.connections, 1)
  const price = report.methods.find(({ method }) => method === 'shop.price')
  assert.deepEqual([price?.calls, price?.errors], [2, { NO_SUCH_ITEM: 1 }])
  assert.ok(report.methods.some(({ method }) => method === 'shop.countdown'))
})
