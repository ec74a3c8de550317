import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { App } from '../app/app.ts'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { clientStream, serverStream, unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// Calls that take a while: an instance stops every 100 ms while calls and streams run. None of them may be repeated
// once it was begun. A stream of results has no end that a server could wait for: its reader is told to open it again, as `docs/protocol.md`
// says. Quick calls are in `client-reliability.test.ts`.

const work = defineContract('work', {
  /** Takes 30 ms. */
  run: unary({ input: z.number(), output: z.number() }),
  /** The numbers below ten, 5 ms apart. */
  count: serverStream({ output: z.number() }),
  /** The sum of all inputs. */
  sum: clientStream({ input: z.number(), output: z.number() }),
})

const workService = defineService(work, {
  async run(number) {
    await wait(30)
    return number
  },
  async *count() {
    for (let number = 0; number < 10; number++) {
      yield number
      await wait(5)
    }
  },
  async sum(numbers) {
    let sum = 0
    for await (const number of numbers) sum += number
    return sum
  },
})

const allNumbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

/** Reads the numbers; one that was broken off must say so, and what came before must be whole. */
async function readNumbers(numbers: AsyncIterable<number>): Promise<'whole' | 'moved'> {
  const read: number[] = []
  try {
    for await (const number of numbers) read.push(number)
  } catch (error) {
    const { code, message } = error as CoveyError
    assert.deepEqual(
      [code, message],
      ['CONNECTION_LOST', 'the instance is stopping; open the stream again'],
    )
    assert.deepEqual(read, allNumbers.slice(0, read.length))
    return 'moved'
  }
  assert.deepEqual(read, allNumbers)
  return 'whole'
}

async function* slowly(count: number) {
  for (let number = 0; number < count; number++) {
    yield number
    await wait(5)
  }
}

/** Three servers over TCP, which the registry knows, or over HTTP at fixed addresses. */
async function threeServers(t: TestContext, way: 'tcp' | 'http') {
  const registry = new MemoryRegistry()
  const ports = await Promise.all([freePort(), freePort(), freePort()])
  const start = async (index: number): Promise<App> => {
    const http = way === 'http' ? { http: { port: ports[index] } } : {}
    const app = createApp({
      name: 'work',
      services: [workService],
      runtime: createRuntime({ registry }),
      ownsProcess: false,
      overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, ...http } },
    })
    await app.start()
    return app
  }
  const apps = await Promise.all([0, 1, 2].map(start))
  t.after(() => Promise.all(apps.map((app) => app.stop())))
  // What an instance refuses because it stops is no matter of the budget.
  const runtime = createRuntime({ registry, retry: { budgetPercent: 0, minPerSecond: 0 } })
  t.after(() => runtime.close())
  const target = ports.map((port) => `http://127.0.0.1:${port}`)
  const wishes = way === 'http' ? { target } : {}
  const api = createClient(work, { runtime, balance: 'roundRobin', ...wishes })
  const restart = async (index: number) => {
    await apps[index]!.stop()
    apps[index] = await start(index)
  }
  const open = () =>
    runtime.callees.flatMap(({ instances }) => instances).filter(({ state }) => state === 'open')
  await until(async () => (await api.run(1)) === 1 && open().length === 3, 'all are connected')
  return { api, restart, open }
}

for (const way of ['tcp', 'http'] as const) {
  test(`over ${way}: calls and streams that are under way finish while servers stop one after the other`, {
    timeout: 60_000,
  }, async (t) => {
    const { api, restart, open } = await threeServers(t, way)
    let running = true
    const done = { run: 0, sum: 0, whole: 0, moved: 0 }
    const failures: string[] = []
    const again = async (once: () => Promise<keyof typeof done>) => {
      while (running) {
        await once().then(
          (kind) => void done[kind]++,
          (error: Error) => void failures.push(error.message),
        )
        await wait(1)
      }
    }
    const run = async () => {
      assert.equal(await api.run(7), 7)
      return 'run' as const
    }
    const sum = async () => {
      assert.equal(await api.sum(slowly(6)), 15)
      return 'sum' as const
    }
    const kinds = [run, sum, () => readNumbers(api.count())]
    const callers = Array.from({ length: 8 }, () => kinds.map(again))
    for (let round = 0; round < 9; round++) {
      await restart(round % 3)
      // The next one stops when there are two others.
      await until(() => open().length >= 3, 'it is connected again', 20_000)
      await wait(100)
    }
    running = false
    await Promise.all(callers.flat())
    t.diagnostic(JSON.stringify(done))
    assert.deepEqual(failures, [])
    const { moved, ...others } = done
    for (const count of Object.values(others)) assert.ok(count > 50, JSON.stringify(done))
    assert.ok(moved < others.whole, JSON.stringify(done))
  })
}
