import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { type ChildServer, startChildServer } from '../testing/child-server.ts'
import { echo } from '../testing/fixtures/echo-contract.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

async function withFleet(
  size: number,
  use: (fleet: { servers: ChildServer[]; registry: string }) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'covey-fleet-'))
  const registry = `file:${directory}/registry`
  const servers = await Promise.all(Array.from({ length: size }, () => startChildServer(registry)))
  try {
    await use({ servers, registry })
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    await rm(directory, { recursive: true, force: true })
  }
}

/** Who answers, once that were two instances. */
async function bothSeen(api: ReturnType<typeof createClient<typeof echo>>): Promise<Set<number>> {
  const seen = new Set<number>()
  await until(async () => seen.add(await api.who()).size === 2, 'both instances answered')
  return seen
}

test('calls are spread over the instances that the registry lists', {
  timeout: 30_000,
}, async () => {
  await withFleet(2, async ({ servers, registry }) => {
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    assert.deepEqual(await bothSeen(api), new Set(servers.map(({ process }) => process.pid)))
  })
})

test('an instance that is killed is called no more; it vanishes from the registry', {
  timeout: 30_000,
}, async () => {
  await withFleet(2, async ({ servers, registry }) => {
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    await bothSeen(api)
    servers[0]!.signal('SIGKILL')
    await servers[0]!.gone
    // What was in flight may fail; what begins after the connection broke may not.
    await api.who().catch(() => {})
    for (let call = 0; call < 200; call++) assert.equal(await api.who(), servers[1]!.process.pid)
    const lists = (await runtime.registry()).watch('echo')
    for await (const list of lists) if (list.length === 1) break
  })
})

test('an instance that drains under load fails no call', { timeout: 30_000 }, async () => {
  await withFleet(2, async ({ servers, registry }) => {
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    await bothSeen(api)
    let running = true
    const failures: unknown[] = []
    const callers = Array.from({ length: 16 }, async () => {
      while (running) await api.echo({ n: 1 }).catch((error: unknown) => failures.push(error))
    })
    servers[0]!.signal('SIGTERM')
    const [code] = (await servers[0]!.gone) as [number]
    running = false
    await Promise.all(callers)
    assert.equal(code, 0)
    assert.deepEqual(failures, [])
  })
})

test('nobody there fails at once, saying so; the way back needs no restart', {
  timeout: 30_000,
}, async () => {
  await withFleet(0, async ({ registry }) => {
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    await assert.rejects(api.echo(1), (error: CoveyError) => {
      assert.equal(error.code, 'UNAVAILABLE')
      assert.match(error.message, /echo: no instance in registry file:\/.*\/registry/)
      assert.equal(error.path, 'echo.echo')
      return true
    })
    const whoOr0 = () => api.who().catch(() => 0)
    await using server = await startChildServer(registry)
    await until(async () => (await whoOr0()) === server.process.pid, 'the new instance was found')
    server.signal('SIGKILL')
    await server.gone
    await using next = await startChildServer(registry)
    await until(async () => (await whoOr0()) === next.process.pid, 'the next one too')
  })
})

test('a call can be for one instance alone', { timeout: 30_000 }, async () => {
  await withFleet(2, async ({ registry }) => {
    await using runtime = createRuntime({ registry })
    const api = createClient(echo, { runtime })
    const lists = (await runtime.registry()).watch('echo')
    for await (const list of lists) {
      if (list.length < 2) continue
      for (const { id } of list) {
        const pids = new Set<number>()
        for (let call = 0; call < 10; call++) pids.add(await api.who(undefined, { instance: id }))
        assert.equal(pids.size, 1)
      }
      break
    }
    await assert.rejects(api.who(undefined, { instance: 'echo-gone' }), (error: CoveyError) => {
      assert.match(
        error.message,
        /echo \(instance echo-gone\): none of the 2 in registry .* there are instances echo-/,
      )
      return error.code === 'UNAVAILABLE'
    })
  })
})

test('a fixed address needs no registry; a refused connection is told with its next try', async () => {
  await using server = await startChildServer()
  await using runtime = createRuntime({ registry: new MemoryRegistry() })
  assert.equal(await createClient(echo, { runtime, target: server.address }).echo('x'), 'x')
  const nobody = createClient(echo, { runtime, target: `tcp://127.0.0.1:${await freePort()}` })
  await assert.rejects(nobody.echo(1), (error: CoveyError) => {
    assert.equal(error.code, 'UNAVAILABLE')
    assert.match(error.message, /ECONNREFUSED.*next try in \d+ ms/)
    return true
  })
})

test('an address that is none is refused when the client is made', () => {
  for (const target of ['127.0.0.1:80', 'tcp://host', 'ftp://host:80', 'tcp://h:99999', 'unix:']) {
    assert.throws(() => createClient(echo, { target }), TypeError, target)
  }
})
