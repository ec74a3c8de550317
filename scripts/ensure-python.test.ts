import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ensurePython } from './ensure-python.ts'

test('a Python that was named is taken as it is', async () => {
  const install = () => Promise.reject(new Error('nothing is to be installed'))
  const result = await ensurePython({
    env: { COVEY_PYTHON: '/my/python' },
    works: () => false,
    install,
  })
  assert.deepEqual(result, { path: '/my/python' })
})

test("the first that can load msgpack is taken, otherwise Debian's is installed", async () => {
  let installed = 0
  const install = async () => {
    installed += 1
    return undefined
  }
  const second = (path: string) => path === 'python3'
  assert.deepEqual(await ensurePython({ env: {}, works: second, install }), { path: 'python3' })
  assert.equal(installed, 0)
  const later = () => installed > 0
  const found = await ensurePython({ env: {}, works: later, install })
  assert.deepEqual([found, installed], [{ path: '/usr/bin/python3' }, 1])
})

test('where none can be had it says why', async () => {
  const install = async () => 'no apt-get here'
  const result = await ensurePython({ env: {}, works: () => false, install })
  assert.deepEqual(result, { missing: 'no apt-get here' })
})
