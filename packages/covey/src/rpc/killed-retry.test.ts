import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type ChildServer, startChildServer } from '../testing/child-server.ts'
import { echo } from '../testing/fixtures/echo-contract.ts'
import { seededRandom } from '../testing/random.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// Servers are killed in mid-call, and callers of idempotent methods see nothing of it.

const rounds = Number(process.env.COVEY_KILL_ROUNDS ?? 6)
const callers = 32

test(`of three servers one is killed ${rounds} times under load: no idempotent call fails`, {
  timeout: 600_000,
}, async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'covey-killed-'))
  const registry = `file:${folder}/registry`
  const servers = await Promise.all([1, 2, 3].map(() => startChildServer(registry)))
  await using runtime = createRuntime({ registry })
  const api = createClient(echo, { runtime })
  const failures: unknown[] = []
  let calls = 0
  let running = true
  try {
    await answeredByAll(api, servers)
    const loops = Array.from({ length: callers }, async (_, caller) => {
      while (running) {
        const n = caller * 1_000_000 + calls++
        const answer = await api.echo({ n }).catch((error: unknown) => void failures.push(error))
        if (answer !== undefined && answer.n !== n) failures.push(`${answer.n} for ${n}`)
      }
    })
    for (let round = 0; round < rounds; round++) {
      await wait(50 + random() * 150)
      const index = Math.floor(random() * servers.length)
      servers[index]!.signal('SIGKILL')
      await servers[index]!.gone
      servers[index] = await startChildServer(registry)
      await answeredByAll(api, servers)
    }
    running = false
    await Promise.all(loops)
    assert.deepEqual(failures, [], `COVEY_SEED=${seed}`)
    const { budget } = runtime.retry.over('echo', () => ({ hasOther: () => false }))
    const [repeated = 0] = budget.describe('echo').match(/^\d+/)?.map(Number) ?? []
    // A kill that met no call proves nothing.
    assert.ok(calls > 1_000 && repeated > 0, `${repeated} of ${calls} calls were repeated`)
  } finally {
    running = false
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    await rm(folder, { recursive: true })
  }
})

async function answeredByAll(
  api: { who(): Promise<number> },
  servers: readonly ChildServer[],
): Promise<void> {
  const seen = new Set<number | undefined>()
  await until(
    async () => {
      seen.add(await api.who())
      return servers.every(({ process }) => seen.has(process.pid))
    },
    'all servers have answered',
    30_000,
  )
}
