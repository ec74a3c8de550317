import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListReader } from '../testing/list-reader.ts'
import { registrySuite, sampleInstance } from '../testing/registry-suite.ts'
import { BorrowedRegistry } from './borrowed-registry.ts'
import { MemoryRegistry } from './memory-registry.ts'

registrySuite('MemoryRegistry, borrowed,', {
  async store() {
    const registry = new MemoryRegistry()
    return {
      open: async () => new BorrowedRegistry(registry),
      [Symbol.asyncDispose]: () => registry.close(),
    }
  },
})

test('closing a MemoryRegistry ends its watches and leases', async () => {
  const registry = new MemoryRegistry()
  const lease = await registry.register(sampleInstance('a'))
  const reader = new ListReader(registry, 'users')
  await reader.untilIds('a')
  await registry.close()
  assert.equal(await reader.next(), undefined)
  assert.equal(await new ListReader(registry, 'users').next(), undefined)
  const closed = { code: 'FAILED_PRECONDITION' }
  await assert.rejects(registry.register(sampleInstance('b')), closed)
  await assert.rejects(lease.update(sampleInstance('a')), closed)
  await assert.rejects(registry.services(), closed)
  await lease.release()
  await registry.close()
})
