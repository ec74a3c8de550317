import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startChildScript } from '../testing/child-script.ts'
import { ExecutionLog } from '../testing/execution-log.ts'
import { truth } from '../testing/fixtures/truth-contract.ts'
import { seededRandom } from '../testing/random.ts'
import { clientOver, dialTcp } from '../testing/tcp-line.ts'
import { planCall, planLargeCall } from '../testing/truth-calls.ts'
import { TruthLedger } from '../testing/truth-ledger.ts'

const rounds = Number(process.env.COVEY_KILL_ROUNDS ?? 8)
const inFlight = 50
const most = 200_000

test(`a server is killed ${rounds} times in mid-call: nobody is told that a call did not run that did`, {
  timeout: 600_000,
}, async () => {
  const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)
  const random = seededRandom(seed)
  const folder = await mkdtemp(join(tmpdir(), 'covey-killed-'))
  const file = join(folder, 'ran')
  const log = new ExecutionLog(most)
  using ledger = new TruthLedger(log)
  let number = 0
  try {
    for (let round = 0; round < rounds; round++) {
      await using server = await startChildScript('marks-server.ts', [file])
      await using connection = await dialTcp(server.said)
      const api = clientOver(truth, connection)
      const callers = Array.from({ length: inFlight }, async (_, index) => {
        const plan = index % 10 === 0 ? planLargeCall : planCall
        while (connection.state === 'open') await ledger.witness(plan(api, number++, random))
      })
      await wait(20 + random() * 150)
      server.signal('SIGKILL')
      await Promise.all(callers)
      await server.gone
    }
    const ran = (await readFile(file, 'utf8')).trim().split('\n')
    for (const line of ran) log.note(Number(line))
    const outcomes = ledger.outcomes()
    assert.ok(
      (outcomes.OK ?? 0) > rounds && (outcomes.CONNECTION_LOST ?? 0) > rounds,
      String(outcomes),
    )
    assert.deepEqual(ledger.problems(), [], `COVEY_SEED=${seed}`)
  } finally {
    await rm(folder, { recursive: true })
  }
})
