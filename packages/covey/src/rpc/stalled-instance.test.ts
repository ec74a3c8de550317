import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Middleware } from '../call/handler.ts'
import type { CoveyError } from '../error/covey-error.ts'
import { startChildScript } from '../testing/child-script.ts'
import { stall } from '../testing/fixtures/stall-contract.ts'
import { until } from '../testing/until.ts'
import { createClient } from './create-client.ts'
import { createRuntime } from './runtime.ts'

// Of a server and of its client: an event loop that stands still.

const blockMs = 3_000

/** One call, and what became of it. */
interface Asked {
  readonly number: number
  readonly atMs: number
  /** Id of the instance it was sent to. */
  to?: string | undefined
  /** `OK`, or the code of the error. */
  outcome?: string
}

const nowMs = () => performance.now()

test('an instance that stands still gets no new calls within a second, and its share when it wakes', {
  timeout: 60_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'covey-stall-'))
  const registry = `file:${folder}/registry`
  const files = ['a', 'b'].map((name) => join(folder, name)) as [string, string]
  await using held = await startChildScript('stall-server.ts', [registry, files[0]])
  await using well = await startChildScript('stall-server.ts', [registry, files[1]])
  // More patient than it stands still: its calls are to be answered in the end.
  await using runtime = createRuntime({ registry, limits: { silenceMs: 20_000 } })
  const asked: Asked[] = []
  const seeing: Middleware = (next) => (call) => {
    const result = next(call)
    const { number } = call.input as { number?: number }
    if (number !== undefined) asked[number]!.to = call.sentTo?.instance.id
    return result
  }
  // Which does not see by itself that one of them is slow.
  const balance = 'roundRobin'
  const api = createClient(stall, { runtime, balance, middleware: [seeing] })
  const ask = async (timeoutMs: number) => {
    const one: Asked = { number: asked.length, atMs: nowMs() }
    asked.push(one)
    const { number } = one
    one.outcome = await api.note({ number }, { timeoutMs }).then(
      () => 'OK',
      ({ code }: CoveyError) => code,
    )
    return one
  }
  try {
    const seen = new Set<string | undefined>()
    await until(async () => seen.add((await ask(20_000)).to).size === 2, 'both are asked', 20_000)
    const calls: Promise<Asked>[] = []
    let asking = true
    const caller = (async () => {
      while (asking) {
        calls.push(ask(calls.length % 4 < 2 ? 1_000 : 20_000))
        await wait(5)
      }
    })()
    const fromMs = nowMs()
    await api.block({ ms: blockMs }, { instance: held.said, timeoutMs: 30_000 })
    const wokeMs = nowMs()
    const after = asked.length
    await until(
      () => asked.slice(after).some(({ to, outcome }) => to === held.said && outcome === 'OK'),
      'it serves again',
      10_000,
    )
    t.diagnostic(`it serves again after ${Math.round(nowMs() - wokeMs)} ms`)
    asking = false
    await caller
    await Promise.all(calls)

    const during = asked.filter(({ atMs }) => atMs >= fromMs && atMs < wokeMs)
    const caught = during.filter(({ to }) => to === held.said)
    const lastMs = Math.max(...caught.map(({ atMs }) => atMs)) - fromMs
    t.diagnostic(
      `${caught.length} of ${during.length} calls went there, the last after ${Math.round(lastMs)} ms`,
    )
    // A second, and one more for a machine that is busy.
    assert.ok(lastMs > 0 && lastMs < 2_000, `${lastMs} ms`)
    assert.ok(
      during.length - caught.length > 20,
      `${during.length - caught.length} calls elsewhere`,
    )
    // Those that it had are answered when it wakes, unless their time was over: then they are not begun.
    for (const { to, outcome } of asked) {
      if (outcome !== 'OK') assert.deepEqual([to, outcome], [held.said, 'DEADLINE_EXCEEDED'])
    }
    const late = asked.filter(({ outcome }) => outcome !== 'OK').map(({ number }) => number)
    assert.ok(late.length > 0, 'some were given up')
    // What it ran before is another matter: the answer alone came late.
    const [, noted = ''] = (await readFile(files[0], 'utf8')).split('block\n')
    const ran = new Set(noted.trim().split('\n').map(Number))
    assert.deepEqual(
      late.filter((number) => ran.has(number)),
      [],
    )
    assert.equal(well.process.exitCode, null)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
