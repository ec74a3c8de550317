import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePort } from '../testing/free-port.ts'
import { describePortOwner, namePortOwner } from './port-owner.ts'

test('the process that listens on a port is named, with its command and folder', async () => {
  const port = await freePort()
  assert.equal(describePortOwner(port), undefined)
  const free = `tcp://127.0.0.1:${port} is in use by another process: x`
  assert.equal(namePortOwner(free), free)
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  const owner = describePortOwner(port)
  const said = namePortOwner(
    `app cannot start: tcp://127.0.0.1:${port} is in use by another process: x`,
  )
  server.close()
  assert.equal(said, `app cannot start: tcp://127.0.0.1:${port} is in use by ${owner}: x`)
  assert.ok(owner !== undefined)
  assert.ok(owner.startsWith(`process ${process.pid} (`), owner)
  assert.ok(owner.endsWith(` in ${process.cwd()}`), owner)
})
