import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryRegistry } from '../discovery/memory-registry.ts'
import { createClient } from '../rpc/create-client.ts'
import { createRuntime, type Runtime } from '../rpc/runtime.ts'
import { who, whoApp } from '../testing/who-app.ts'
import type { App } from './app.ts'

const [one, two, three] = ['one', 'two', 'three'].map((n) => `sesame-${n}-0123456789-0123456789`)

/** A machine of a fleet: its own copy of the file, an application, and a runtime that calls. */
interface Machine {
  readonly file: string
  readonly runtime: Runtime
  readonly app: App
}

async function put(file: string, lines: readonly (string | undefined)[]): Promise<void> {
  await writeFile(`${file}.new`, lines.join('\n'), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function keysIn(secretFile: string) {
  return [{ id: 'fleet', secretFile }]
}

async function startMachine(file: string): Promise<Machine> {
  await put(file, [one])
  const runtime = createRuntime({ registry: 'memory:', keys: keysIn(file) })
  const app = whoApp(runtime)
  await app.start()
  return { file, runtime, app }
}

/** Opens a new connection from each machine to each, and from a process that starts now on each to each. */
async function everybodyMeets(machines: readonly Machine[], starting: boolean): Promise<void> {
  for (const from of machines) {
    const keys = starting ? keysIn(from.file) : from.runtime.keys!
    await using runtime = createRuntime({ registry: 'memory:', keys })
    for (const { app } of machines) {
      const api = createClient(who, { target: app.address, runtime })
      assert.equal(await api.am(undefined, { timeoutMs: 5_000 }), 'key:fleet')
    }
  }
}

/** Calls over connections that stay, until it is told to stop. */
function keepCalling(machines: readonly Machine[]): { stop(): Promise<number> } {
  const runtime = createRuntime({
    registry: new MemoryRegistry(),
    keys: machines[0]!.runtime.keys!,
  })
  const apis = machines.map(({ app }) => createClient(who, { target: app.address, runtime }))
  let going = true
  const loop = (async () => {
    let calls = 0
    for (; going; calls += apis.length) {
      await Promise.all(apis.map((api) => api.am(undefined, { timeoutMs: 5_000 })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return calls
  })()
  loop.catch(() => {})
  return {
    async stop() {
      going = false
      const calls = await loop
      await runtime.close()
      return calls
    },
  }
}

test('a secret is changed in the files of a running fleet, and no call fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-rotation-'))
  const machines = await Promise.all(
    ['a', 'b', 'c'].map((name) => startMachine(join(folder, name))),
  )
  try {
    const calls = keepCalling(machines)
    // The file is put on one machine after the other, and each looks when it looks.
    for (const { file, runtime } of machines) {
      await put(file, [two])
      await everybodyMeets(machines, false)
      await runtime.keys!.refresh(0)
      await everybodyMeets(machines, false)
    }
    // With the secret before in a second line, a process that starts meanwhile knows both.
    for (const lines of [[three, two], [three]]) {
      for (const { file, runtime } of machines) {
        await put(file, lines)
        await everybodyMeets(machines, true)
        await runtime.keys!.refresh(0)
        await everybodyMeets(machines, false)
      }
    }
    assert.ok((await calls.stop()) > 0)
    await using old = createRuntime({ registry: 'memory:', keys: [{ id: 'fleet', secret: two! }] })
    const refused = createClient(who, { target: machines[0]!.app.address, runtime: old }).am()
    await assert.rejects(refused, /does not have the secret of key "fleet"/)
  } finally {
    for (const { app, runtime } of machines) {
      await app.stop()
      await runtime.close()
    }
    await rm(folder, { recursive: true })
  }
})
