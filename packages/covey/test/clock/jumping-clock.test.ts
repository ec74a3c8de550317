import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CoveyError, createClient, createRuntime } from '../../src/index.ts'
import { freePort } from '../../src/testing/free-port.ts'
import { until } from '../../src/testing/until.ts'
import { type FakedProcess, noFaketime, startFaked } from './faked-process.ts'
import { napper } from './nap-contract.ts'

/** Much more than it takes, for a machine that is slow. */
const limitMs = 40_000

/** A process that serves calls on a clock that can jump, and calls to it from here, where the time is true. */
async function startNapper(durations: 'true' | 'jump') {
  const folder = await mkdtemp(join(tmpdir(), 'covey-clock-'))
  const port = String(await freePort())
  const child = await startFaked('call-peers.ts', [port], join(folder, 'clock'), durations)
  const runtime = createRuntime({ registry: 'memory:' })
  const ask = async (what: string, pattern = new RegExp(`^${what}: (.*)`)) => {
    const seen = child.lines.length
    child.tell(what)
    const found = () => child.lines.slice(seen).find((line) => pattern.test(line))
    await until(() => found() !== undefined, what, limitMs)
    return pattern.exec(found()!)![1]!
  }
  /** Lets its clock jump, and waits until it has seen that. */
  const jump = async (offset: string, hours: number) => {
    await child.jump(offset)
    const offMs = async () => Number(await ask('time')) - Date.now() - hours * 3_600_000
    await until(async () => Math.abs(await offMs()) < 600_000, `the clock at ${offset}`, limitMs)
  }
  await until(() => ready(child), 'it is ready', limitMs)
  return {
    child,
    nap: createClient(napper, { target: `tcp://127.0.0.1:${port}`, runtime }).nap,
    ask,
    jump,
    async [Symbol.asyncDispose]() {
      await runtime.close()
      await child[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

const ready = ({ lines }: FakedProcess) => lines.some((line) => /napper is ready/.test(line))

test('a wall clock that jumps by an hour, and back, lets no deadline fire early or late', {
  skip: noFaketime,
  timeout: 115_000,
}, async () => {
  await using subject = await startNapper('true')
  assert.equal(await subject.nap(1, { timeoutMs: limitMs }), 1)
  for (const [offset, hours] of [
    ['+1h', 1],
    ['-1h', -1],
  ] as const) {
    const own = subject.nap(3_000, { timeoutMs: limitMs })
    const told = subject.ask('deadlines', /^deadlines: (.*)/)
    // In the middle of both: `deadlines` takes at least 3.5 s.
    await subject.child.jump(offset)
    const { earliest, latest, slept } = JSON.parse(await told)
    assert.ok(earliest >= 0, `${earliest} ms early`)
    assert.ok(latest < 1_000, `${latest} ms late`)
    assert.equal(slept, 3_500)
    assert.equal(await own, 3_000)
    await subject.jump(offset, hours)
  }
  assert.equal(subject.child.process.exitCode, null)
})

test('a process that finds all its timers due at once, as the clock of durations jumps by an hour, goes on', {
  skip: noFaketime,
  timeout: 115_000,
}, async () => {
  await using subject = await startNapper('jump')
  assert.equal(await subject.nap(1, { timeoutMs: limitMs }), 1)
  const startMs = performance.now()
  const running = Array.from({ length: 50 }, () =>
    subject.nap(30_000, { timeoutMs: 60_000 }).catch((error: CoveyError) => error.code),
  )
  await subject.jump('+1h', 1)
  // By its clock all of them took an hour: they ended, or were too late.
  for (const outcome of await Promise.all(running)) {
    assert.ok(
      [30_000, 'DEADLINE_EXCEEDED', 'CONNECTION_LOST'].includes(outcome),
      `a call that ran ended with ${outcome}`,
    )
  }
  assert.ok(performance.now() - startMs < 29_000, 'its timers did fire at once')
  for (let n = 0; n < 20; n++) assert.equal(await subject.nap(n, { timeoutMs: limitMs }), n)
  assert.equal(subject.child.process.exitCode, null)
})
