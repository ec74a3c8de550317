import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { CoveyError } from '../error/covey-error.ts'
import { ExecutionLog } from './execution-log.ts'
import { TruthLedger } from './truth-ledger.ts'

function made(size = 10, graceMs = 250) {
  const log = new ExecutionLog(size)
  return { log, ledger: new TruthLedger(log, { graceMs }) }
}

async function failing(code: string): Promise<never> {
  throw new CoveyError(code, 'no')
}

test('what is true is no problem', async () => {
  const { log, ledger } = made()
  using _ = ledger
  log.note(0)
  await ledger.witness({ number: 0, timeoutMs: 100, run: async () => undefined })
  log.note(1)
  await ledger.witness({ number: 1, timeoutMs: 100, run: () => failing('CONNECTION_LOST') })
  await ledger.witness({ number: 2, timeoutMs: 100, run: () => failing('UNAVAILABLE') })
  assert.deepEqual(ledger.outcomes(), { OK: 1, CONNECTION_LOST: 1, UNAVAILABLE: 1 })
  assert.deepEqual(ledger.problems(), [])
})

for (const code of ['UNAVAILABLE', 'DRAINING', 'RESOURCE_EXHAUSTED']) {
  test(`${code} of a call that ran is found, also when it runs only later`, async () => {
    const { log, ledger } = made()
    using _ = ledger
    log.note(3)
    await ledger.witness({ number: 3, timeoutMs: 100, run: () => failing(code) })
    await ledger.witness({ number: 4, timeoutMs: 100, run: () => failing(code) })
    assert.deepEqual(ledger.problems(), [`1 calls told something untrue: call 3: ${code}`])
    log.note(4)
    assert.deepEqual(ledger.problems(), [
      `2 calls told something untrue: call 3: ${code}, call 4: ${code}`,
    ])
  })
}

test('an answer without a run, a second run and a wrong answer are found', async () => {
  const { log, ledger } = made()
  using _ = ledger
  await ledger.witness({ number: 0, timeoutMs: 100, run: async () => undefined })
  for (const number of [1, 1, 2]) log.note(number)
  await ledger.witness({ number: 1, timeoutMs: 100, run: async () => undefined })
  await ledger.witness({ number: 2, timeoutMs: 100, run: async () => 'the answer of 7' })
  assert.deepEqual(ledger.problems(), [
    '1 calls told something untrue: call 0: an answer, but it never ran',
    '1 calls ran again: call 1: one attempt ran twice',
    '1 calls got a wrong answer: call 2: the answer of 7',
  ])
})

test('a call may run as often as it says, each attempt once', async () => {
  const { log, ledger } = made()
  using _ = ledger
  const run = async () => undefined
  for (const [number, attempts, maxRuns] of [
    [0, [1, 2, 3], 3],
    [1, [1, 2], 1],
    [2, [1, 2, 2], 3],
    [3, [8, 9], 9],
    [4, [1, 2, 3, 4], 3],
  ] as const) {
    for (const attempt of attempts) log.note(number, attempt)
    await ledger.witness({ number, timeoutMs: 100, maxRuns, run })
  }
  log.note(5)
  await ledger.witness({ number: 5, timeoutMs: 100, maxRuns: 3, run })
  assert.equal(ledger.repeated, 5)
  assert.deepEqual(ledger.problems(), [
    '4 calls ran again: call 1: ran 2 times, call 2: one attempt ran twice, call 3: one attempt ran twice, call 4: ran 4 times',
  ])
})

test('a call that is late or not over is found, but for pauses of the event loop', async () => {
  const { log, ledger } = made(10, 40)
  using _ = ledger
  for (const number of [0, 1, 2]) log.note(number)
  void ledger.witness({ number: 0, timeoutMs: 10, run: () => new Promise(() => {}) })
  const slow = { number: 1, what: 'echo', timeoutMs: 10, run: async () => void (await wait(120)) }
  await ledger.witness(slow)
  const paused = ledger.witness({ number: 2, timeoutMs: 10, run: async () => void (await wait(1)) })
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  await paused
  const [late, hanging, ...others] = ledger.problems()
  assert.match(
    late ?? '',
    /^1 calls were not over in time: call 1 \(echo\): OK, \d+ ms behind its time$/,
  )
  assert.equal(hanging, '1 calls are not over: call 0')
  assert.deepEqual(others, [])
})

test('many problems of a kind are counted, a few are shown', async () => {
  const { ledger } = made(20)
  using _ = ledger
  for (let number = 0; number < 20; number++) {
    await ledger.witness({ number, timeoutMs: 100, run: async () => undefined })
  }
  const [problem] = ledger.problems()
  assert.match(problem ?? '', /^20 calls told .*call 0: .*call 4: an answer, but it never ran, …$/)
})

test('a number stands for one call', async () => {
  const { ledger } = made()
  using _ = ledger
  await ledger.witness({ number: 0, timeoutMs: 100, run: () => failing('CANCELLED') })
  await assert.rejects(
    ledger.witness({ number: 0, timeoutMs: 100, run: async () => undefined }),
    RangeError,
  )
})

test('a log is one memory for all threads', () => {
  const log = new ExecutionLog(3)
  const other = new ExecutionLog(log.shared)
  other.note(2)
  other.note(2)
  assert.equal(log.runs(2), 2)
  assert.equal(log.runs(1), 0)
  assert.deepEqual([log.ranTwice(2), log.ranTwice(1)], [true, false])
  assert.equal(other.size, 3)
})
