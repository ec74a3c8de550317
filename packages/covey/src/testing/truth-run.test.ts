import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TlsPaths } from '../transport/tls/tls-files.ts'
import { createTestAuthority } from './test-authority.ts'
import { type TruthRunOptions, truthRun } from './truth-run.ts'

// The soak makes a million.
const calls = Number(process.env.COVEY_LEDGER_CALLS ?? 100_000)
const overHttp = Number(process.env.COVEY_LEDGER_HTTP_CALLS ?? 20_000)
const seed = Number(process.env.COVEY_SEED ?? Date.now() % 2 ** 31)

function truthTest(what: string, options: Omit<TruthRunOptions, 'seed'>): void {
  test(`${options.calls} calls ${what}`, { timeout: 3_600_000 }, async () => {
    const run = await truthRun({ ...options, seed })
    const { outcomes, repeated, troubles } = run
    console.log(`${run.seconds.toFixed(1)} s, COVEY_SEED=${seed}`, outcomes, { repeated }, troubles)
    assert.deepEqual(run.problems, [], `COVEY_SEED=${seed}`)
    // A run without trouble, or one in which nothing works, proves nothing.
    const { OK = 0, CONNECTION_LOST = 0, UNAVAILABLE = 0, DEADLINE_EXCEEDED = 0 } = outcomes
    assert.ok(OK > options.calls / 3, `${OK} answers`)
    assert.ok(CONNECTION_LOST > 0 && UNAVAILABLE > 0 && DEADLINE_EXCEEDED > 0)
    assert.ok(repeated > 0, 'no idempotent call ran twice')
  })
}

truthTest('under chaos: every answer is its own, none runs twice, none is untrue, none hangs', {
  calls,
  callsPerTrouble: 2_000,
})

truthTest('on links that also damage, repeat and reorder bytes, sealed with crc32c', {
  calls: calls / 5,
  callsPerTrouble: 500,
  damage: true,
  links: { integrity: 'crc32c' },
})

truthTest('on such links, sealed with a key, and compressed', {
  calls: calls / 5,
  callsPerTrouble: 500,
  damage: true,
  links: {
    keys: [{ id: 'k', secret: 'no secret: a key for tests, of 32 characters and more' }],
    compressAboveBytes: 4_096,
  },
})

// A socket for each call in flight, and what was not run is found out in another way.
truthTest('over HTTP', { calls: overHttp, inFlight: 24, callsPerTrouble: 500, http: true })

for (const http of [false, true]) {
  const options = { calls: overHttp / 4, inFlight: 24, callsPerTrouble: 250, http }
  truthTest(`over TLS${http ? ', HTTP' : ''}`, { ...options, links: { tls: tlsFiles() } })
}

function tlsFiles(): TlsPaths {
  const folder = mkdtempSync(join(tmpdir(), 'covey-truth-'))
  after(() => rmSync(folder, { recursive: true }))
  const authority = createTestAuthority('fleet')
  const { cert, key } = authority.issue({ spiffe: 'spiffe://fleet.test/truth' })
  const write = (name: string, pem: string) => {
    const path = join(folder, name)
    writeFileSync(path, pem, { mode: 0o600 })
    return path
  }
  return { cert: write('cert', cert), key: write('key', key), ca: write('ca', authority.ca) }
}
