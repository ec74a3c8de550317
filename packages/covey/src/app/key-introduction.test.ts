import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createClient } from '../rpc/create-client.ts'
import type { LinkSettings } from '../rpc/link-settings.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { until } from '../testing/until.ts'
import { who, whoApp } from '../testing/who-app.ts'
import type { App } from './app.ts'

const keys = [{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }]
const none: LinkSettings = {}
const offered: LinkSettings = { keys, keyMode: 'permissive' }
const demanded: LinkSettings = { keys }

/** One process that serves, and calls the whole fleet as long as it runs. */
class Process {
  readonly log = new RecordingLog()
  readonly #runtime: Runtime
  readonly #app: App
  #rounds = 0
  #failed = false
  #going = true
  #calling: Promise<Set<string>> | undefined

  constructor(registry: MemoryRegistry, settings: LinkSettings) {
    this.#runtime = createRuntime({ registry, log: this.log, ...settings })
    this.#app = whoApp(this.#runtime)
  }

  get address(): string {
    return this.#app.address
  }

  /** Whether its log says that connections without a key are taken. */
  get warned(): boolean {
    const lines = this.log.messages('warn')
    return lines.some((line) => line.includes('covey.keyMode is permissive'))
  }

  async start(): Promise<void> {
    await this.#app.start()
  }

  /** Calls the others over and over; a call that fails is told by `stop`. */
  callAll(addresses: readonly string[]): void {
    const apis = addresses.map((target) => createClient(who, { target, runtime: this.#runtime }))
    this.#calling = (async () => {
      const seen = new Set<string>()
      while (this.#going) {
        const answers = await Promise.all(
          apis.map((api) => api.am(undefined, { timeoutMs: 5_000 })),
        )
        for (const answer of answers) seen.add(answer)
        this.#rounds += 1
        await new Promise((resolve) => setImmediate(resolve))
      }
      return seen
    })()
    this.#calling.catch(() => {
      this.#failed = true
    })
  }

  /** Whether it has called a few times, or in vain. */
  get called(): boolean {
    return this.#rounds >= 5 || this.#failed
  }

  /** @returns whom the others took it for */
  async stopCalling(): Promise<Set<string>> {
    this.#going = false
    return (await this.#calling) ?? new Set()
  }

  async stop(): Promise<void> {
    this.#going = false
    await this.#calling?.catch(() => {})
    await this.#app.stop()
    await this.#runtime.close()
  }
}

/** Two processes with these settings each, which call one another. @returns whom they took the others for */
async function live(...settings: [LinkSettings, LinkSettings]): Promise<{
  seen: string[]
  warned: boolean[]
}> {
  const registry = new MemoryRegistry()
  const processes = settings.map((each) => new Process(registry, each))
  try {
    for (const process of processes) await process.start()
    const addresses = processes.map(({ address }) => address)
    for (const [index, process] of processes.entries()) {
      process.callAll(addresses.filter((_, other) => other !== index))
    }
    await until(() => processes.every(({ called }) => called), 'each has called the other')
    const seen: string[] = []
    for (const process of processes) seen.push([...(await process.stopCalling())].join())
    return { seen, warned: processes.map((process) => process.warned) }
  } finally {
    for (const process of processes) await process.stop()
  }
}

// A fleet whose processes are started anew one after the other meets each of these pairs.
test('a fleet is given keys without a failed call: offered first, then demanded', async () => {
  const [nobody, key] = ['nobody', 'key:may']
  const steps: [LinkSettings, LinkSettings, expected: object][] = [
    [none, none, { seen: [nobody, nobody], warned: [false, false] }],
    [none, offered, { seen: [nobody, nobody], warned: [false, true] }],
    [offered, offered, { seen: [key, key], warned: [false, false] }],
    [offered, demanded, { seen: [key, key], warned: [false, false] }],
    [demanded, demanded, { seen: [key, key], warned: [false, false] }],
  ]
  for (const [one, other, expected] of steps) {
    assert.deepEqual(await live(one, other), expected)
    assert.deepEqual(await live(other, one), {
      seen: (expected as { seen: string[] }).seen.toReversed(),
      warned: (expected as { warned: boolean[] }).warned.toReversed(),
    })
  }
})

test('what skips a step is refused', async () => {
  await assert.rejects(live(none, demanded), /takes only clients with a key|did not prove/)
})

test('keys that are only offered guard nothing where others may connect', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using app = whoApp(runtime, { host: '0.0.0.0', ...offered })
  await assert.rejects(app.start(), {
    code: 'INVALID_SETTINGS',
    message: /covey\.host 0\.0\.0\.0 can be reached from other machines/,
  })
})

test('over HTTP, where no key can be proved, nobody is refused for it as long as keys are only offered', async () => {
  await using runtime = createRuntime({ registry: 'memory:' })
  await using app = whoApp(runtime, { http: { port: 0 }, ...offered })
  await app.start()
  const target = app.instance.addresses[1]!
  await using caller = createRuntime({ registry: 'memory:', ...offered })
  assert.equal(await createClient(who, { target, runtime: caller }).am(), 'nobody')
  await using other = createRuntime({ registry: 'memory:' })
  const strict = whoApp(other, { http: { port: 0 }, ...demanded })
  await assert.rejects(strict.start(), /keys cannot be proved over HTTP/)
})
