import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../app/create-app.ts'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { CoveyError } from '../error/covey-error.ts'
import { createClient } from './create-client.ts'
import { createRuntime, type Runtime } from './runtime.ts'

// What a full outage of the lowest service brings upon it, below four others that all repeat calls.

const stages = ['one', 'two', 'three', 'four', 'leaf'] as const
const instances = 2

function stage(name: (typeof stages)[number]) {
  return defineContract(name, {
    get: unary({ input: z.number(), output: z.number(), idempotent: true }),
  })
}

const contracts = stages.map(stage)

/** Five services in a row, two instances of each, connected by TCP; `leaf` does what the test says. */
class Chain implements AsyncDisposable {
  readonly registry = new MemoryRegistry()
  readonly client: Runtime
  readonly #open: AsyncDisposable[] = []
  /** How often each service was called. */
  readonly calls = new Map<string, number>()
  answer: (n: number) => number = (n) => n

  constructor() {
    this.client = this.#runtime()
  }

  async start(): Promise<this> {
    for (let index = stages.length - 1; index >= 0; index--) {
      for (let instance = 0; instance < instances; instance++) await this.#startStage(index)
    }
    return this
  }

  async #startStage(index: number): Promise<void> {
    const contract = contracts[index]!
    const below = contracts[index + 1]
    const runtime = this.#runtime()
    const next =
      below === undefined ? undefined : createClient(below, { runtime, balance: 'roundRobin' })
    const service = defineService(contract, {
      get: (n) => {
        this.calls.set(contract.name, (this.calls.get(contract.name) ?? 0) + 1)
        return next === undefined ? this.answer(n) : next.get(n)
      },
    })
    const app = createApp({
      name: contract.name,
      services: [service],
      runtime,
      ownsProcess: false,
      overrides: { covey: { logLevel: 'silent', drainWaitMs: 0 } },
    })
    this.#open.push(app)
    await app.start()
  }

  #runtime(): Runtime {
    const runtime = createRuntime({ registry: this.registry })
    this.#open.push(runtime)
    return runtime
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opened of this.#open.toReversed()) await opened[Symbol.asyncDispose]()
    await this.registry.close()
  }
}

/** Calls with so many on their way; gives the codes of their errors. */
async function callAll(api: { get(n: number): Promise<number> }, count: number) {
  const codes = new Map<string, number>()
  let begun = 0
  const caller = async () => {
    while (begun++ < count) {
      const code = await api.get(begun).then(
        () => 'OK',
        (error: CoveyError) => error.code,
      )
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 64 }, caller))
  return codes
}

// What a service below a dead one says, and what its callers are told of it in the end.
const outages = [
  ['CONNECTION_LOST', 'CONNECTION_LOST'],
  ['RESOURCE_EXHAUSTED', 'DEPENDENCY_UNAVAILABLE'],
  ['UNAVAILABLE', 'DEPENDENCY_UNAVAILABLE'],
  ['DEPENDENCY_UNAVAILABLE', 'DEPENDENCY_UNAVAILABLE'],
] as const

for (const [said, told] of outages) {
  test(`in an outage (${said}) below four services it gets at most 1.10 times its calls`, {
    timeout: 60_000,
  }, async () => {
    await using chain = await new Chain().start()
    const api = createClient(contracts[0]!, { runtime: chain.client, balance: 'roundRobin' })
    const healthy = 100
    assert.deepEqual([...(await callAll(api, healthy))], [['OK', healthy]])
    assert.equal(chain.calls.get('leaf'), healthy)
    chain.answer = () => {
      throw new CoveyError(said, 'the disk is gone')
    }
    const count = 3_000
    assert.deepEqual([...(await callAll(api, count))], [[told, count]])
    const calls = healthy + count
    const reached = chain.calls.get('leaf')!
    const repeated = reached > 1.01 * calls
    assert.ok(repeated && reached <= 1.1 * calls, `${reached} calls at the leaf for ${calls}`)
    // Only the service right above it repeats calls.
    assert.deepEqual(
      stages.slice(0, -1).map((name) => chain.calls.get(name)),
      [calls, calls, calls, calls],
    )
    const found = await api.get(1).catch((error: CoveyError) => error)
    assert.equal(typeof ((found as CoveyError).details as { attempts: number }).attempts, 'number')
    chain.answer = (n) => n
    assert.equal(await api.get(7), 7)
  })
}
