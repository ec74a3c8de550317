import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineService } from '../../contract/define-service.ts'
import { startChildScript } from '../../testing/child-script.ts'
import { burner } from '../../testing/fixtures/burn-contract.ts'
import { RecordingLog } from '../../testing/recording-log.ts'
import { clientOver, dialTcp, serveTcp } from '../../testing/tcp-line.ts'

// A client that opens calls only to give them up at once does not take the others' time.

test('others keep their calls while one client opens and gives up as many as it can', {
  timeout: 60_000,
}, async () => {
  /** Calls that were begun, by the connection of the attacker that they came over. */
  const burnt = new Map<string, number>()
  const service = defineService(burner, {
    burn(ms, { peer }) {
      // A call of the attacker takes so long that a single write of them would hold up everybody for five seconds.
      if (ms === 5) burnt.set(peer.connectionId, 1 + (burnt.get(peer.connectionId) ?? 0))
      const endMs = performance.now() + ms
      while (performance.now() < endMs);
      return ms
    },
  })
  const maxEarlyCancels = 50
  const log = new RecordingLog()
  await using listener = await serveTcp(service, { maxEarlyCancels }, log)
  const dialled = Array.from({ length: 5 }, () => dialTcp(listener.address))
  const connections = await Promise.all(dialled)
  const apis = connections.map((connection) => clientOver(burner, connection))
  const attacker = await startChildScript('rapid-reset.ts', [listener.address, '0'])
  try {
    const startMs = performance.now()
    const outcomes = await Promise.all(
      apis.map(async (api) => {
        const codes: string[] = []
        while (performance.now() - startMs < 3_000) {
          const call = api.burn(1, { timeoutMs: 5_000 }).then(
            () => 'answered',
            (error) => error.code as string,
          )
          codes.push(await call)
        }
        return codes
      }),
    )
    const all = outcomes.flat()
    const answered = all.filter((code) => code === 'answered').length
    assert.ok(answered >= 0.9 * all.length, `${answered} of ${all.length}: ${[...new Set(all)]}`)
    assert.ok(burnt.size > 0, 'the attacker is at work')
    const warnings = log.messages('warn')
    assert.match(
      warnings.join(),
      /^a connection gives up most of its calls at once, more than 50 in 10 s/,
    )
    // Its places, those that came back, and two for each call that ended ahead of its cancel, where reads end between them.
    const most = 3 * maxEarlyCancels + ((performance.now() - startMs) / 10_000) * maxEarlyCancels
    for (const count of burnt.values()) assert.ok(count <= most, `${count} of one connection`)
  } finally {
    await attacker[Symbol.asyncDispose]()
    for (const connection of connections) await connection.close()
  }
})
