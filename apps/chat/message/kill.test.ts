import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { silentLog } from 'covey'
import { tempFolder } from '../testing/temp-folder.ts'
import { openMessageDatabase } from './message-database.ts'

const rounds = 10
const script = fileURLToPath(new URL('../testing/send-until-killed.ts', import.meta.url))

/** What all rounds together were told. */
interface Ledger {
  /** Client ids that were sent at least once. */
  readonly tried: Set<string>
  /** Client id to the sequence it was acknowledged with. */
  readonly acknowledged: Map<string, number>
}

test('what was acknowledged survives kill -9: all there, once, without a gap', async (t) => {
  const path = join(await tempFolder(t), 'message.db')
  const ledger: Ledger = { tried: new Set(), acknowledged: new Map() }
  for (let round = 0; round < rounds; round++) {
    await killOneRound(t, path, `round${round}`, ledger)
    checkHistory(path, ledger)
  }
  assert.ok(ledger.acknowledged.size > rounds * 20, `${ledger.acknowledged.size} acknowledged`)
})

/** Lets a process send and kills it at some moment while it does. */
async function killOneRound(t: TestContext, path: string, round: string, ledger: Ledger) {
  const unsure = [...ledger.tried].filter((clientId) => !ledger.acknowledged.has(clientId))
  const child = spawn(process.execPath, [script, path, round], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  child.stdin.end(unsure.map((clientId) => `${clientId}\n`).join(''))
  const ended = once(child, 'close', { signal: AbortSignal.timeout(30_000) })
  let planned = false
  for await (const line of createInterface(child.stdout)) {
    note(line, ledger)
    const [, clientId] = line.split(' ')
    if (planned || !clientId?.startsWith(round) || !line.startsWith('ack')) continue
    planned = true
    killSoon(child)
  }
  await ended
  assert.equal(child.signalCode, 'SIGKILL')
  for (const clientId of unsure) assert.ok(ledger.acknowledged.has(clientId), clientId)
}

/** Somewhere in the next tens of milliseconds, so that commits and answers are cut at every point. */
function killSoon(child: ChildProcess): void {
  setTimeout(() => child.kill('SIGKILL'), 5 + Math.random() * 60)
}

function note(line: string, { tried, acknowledged }: Ledger): void {
  const match = /^(try|ack) (\S+)(?: (\d+))?$/.exec(line)
  // The last line may be cut in the middle.
  if (match === null) return
  const [, kind, clientId, seq] = match
  if (kind === 'try') tried.add(clientId!)
  else if (seq !== undefined) {
    const before = acknowledged.get(clientId!)
    assert.equal(before ?? Number(seq), Number(seq), `${clientId} has two sequences`)
    acknowledged.set(clientId!, Number(seq))
  }
}

function checkHistory(path: string, { tried, acknowledged }: Ledger): void {
  const database = openMessageDatabase(path, silentLog)
  const messages = database.queries.recentMessages.all({ limit: 1_000_000, sinceMs: 0 })
  database.close()
  assert.deepEqual(
    messages.map(({ seq }) => seq),
    messages.map((_, index) => index + 1),
  )
  const ids = messages.map(({ clientId }) => clientId)
  assert.equal(new Set(ids).size, ids.length)
  for (const { clientId, text } of messages) {
    assert.ok(tried.has(clientId))
    assert.equal(text, `text of ${clientId} 👍`)
  }
  for (const [clientId, seq] of acknowledged) assert.equal(ids[seq - 1], clientId)
}
