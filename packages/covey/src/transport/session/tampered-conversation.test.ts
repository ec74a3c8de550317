import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import {
  type SessionPair,
  type SessionPairOptions,
  sessionPair,
} from '../../testing/session-pair.ts'
import type { LinkOptions } from '../link-options.ts'
import { createKeyRing } from '../tcp/create-key-ring.ts'

const keys = createKeyRing([{ id: 'may', secret: 'sesame-of-may-0123456789-0123456789' }])
const clock = new FakeClock()

/** A pair whose ends are given the same. */
function pairWith(links: LinkOptions, rest: Partial<SessionPairOptions> = {}): SessionPair {
  return sessionPair({ client: links, server: links, clock, ...rest })
}

/** Shakes hands and makes two calls; whether all of that went well. */
async function converse(pair: SessionPair): Promise<boolean> {
  const steps = [
    pair.client.handshake().then(
      () => 'ready',
      ({ code }: CoveyError) => code,
    ),
  ]
  await pair.pump()
  for (const input of ['pay 100', { to: 'ada' }]) steps.push(pair.echo(input))
  await pair.pump()
  // Whoever waits for the rest of a frame waits no longer.
  await pair.client.close()
  pair.server.close()
  const outcomes = await Promise.all(steps)
  const truth = ['ready', '"pay 100"', '{"to":"ada"}']
  const codes = /^(ready|[A-Z_]+)$/
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome !== truth[index]) assert.match(outcome, codes, 'a wrong answer was believed')
  }
  const { inputs } = pair.seen
  assert.deepEqual(inputs, ['pay 100', { to: 'ada' }].slice(0, inputs.length))
  return outcomes.every((outcome, index) => outcome === truth[index])
}

/** Flips one bit of all that is sent, counted from the first byte of either side. */
function flipping(bit: number): { tamper: SessionPairOptions['tamper']; done: () => boolean } {
  let before = 0
  let done = false
  return {
    done: () => done,
    tamper(bytes) {
      const at = (bit >> 3) - before
      before += bytes.length
      if (at < 0 || at >= bytes.length) return bytes
      const flipped = bytes.slice()
      flipped[at]! ^= 1 << (bit & 7)
      done = true
      return flipped
    },
  }
}

test('an untouched conversation goes well', async () => {
  assert.equal(await converse(pairWith({ keys })), true)
  assert.equal(await converse(pairWith({ integrity: 'crc32c' })), true)
})

test('hmac: of all single bits of a whole conversation none can be flipped', {
  timeout: 120_000,
}, async () => {
  let accepted = 0
  let bit = 0
  for (; ; bit++) {
    const { tamper, done } = flipping(bit)
    const well = await converse(pairWith({ keys }, { tamper: tamper! }))
    if (!done()) break
    if (well) accepted += 1
  }
  assert.equal(accepted, 0)
  assert.ok(bit > 6_000, `${bit} bits`)
})

test('crc32c: of all single bits behind the handshake none can be flipped', {
  timeout: 120_000,
}, async () => {
  const whole = pairWith({ integrity: 'crc32c' })
  await converse(whole)
  const firstCall = whole.sent.findIndex(({ bytes }) => bytes[4] === 3)
  const size = (parts: SessionPair['sent']) =>
    parts.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const from = 8 * size(whole.sent.slice(0, firstCall))
  for (let bit = from; ; bit++) {
    const { tamper, done } = flipping(bit)
    const well = await converse(pairWith({ integrity: 'crc32c' }, { tamper: tamper! }))
    if (!done()) break
    assert.equal(well, false, `bit ${bit}`)
  }
})

for (const [name, links] of [
  ['hmac', { keys }],
  ['crc32c', { integrity: 'crc32c' }],
] as const) {
  test(`${name}: a changed call is not run, and both sides know why`, async () => {
    let armed = false
    const pair = pairWith(links, {
      tamper(bytes, to) {
        if (!armed || to !== 'server') return bytes
        const changed = Buffer.from(bytes)
        changed[changed.indexOf('100')] = '9'.charCodeAt(0)
        return changed
      },
    })
    assert.equal(await pair.connect(), 'ready')
    armed = true
    assert.equal(await pair.echo('pay 100'), 'INTEGRITY_FAILED')
    assert.deepEqual(pair.seen.inputs, [])
    assert.deepEqual(pair.seen.closed, ['INTEGRITY_FAILED'])
  })

  test(`${name}: a call that is sent twice runs once`, async () => {
    const pair = pairWith(links, {
      tamper: (bytes, to) =>
        to === 'server' && bytes[4] === 3 ? Buffer.concat([bytes, bytes]) : bytes,
    })
    assert.equal(await pair.connect(), 'ready')
    await pair.echo('pay 100')
    assert.deepEqual(pair.seen.inputs, ['pay 100'])
    assert.deepEqual(pair.seen.closed, ['INTEGRITY_FAILED'])
  })
}

test('hmac: recorded frames of another connection are not taken', async () => {
  const recorded = pairWith({ keys })
  await recorded.connect()
  await recorded.echo('pay 100')
  const call = recorded.sent.find(({ to, bytes }) => to === 'server' && bytes[4] === 3)!.bytes
  const pair = pairWith({ keys })
  assert.equal(await pair.connect(), 'ready')
  pair.toClient.receive(call)
  await pair.pump()
  assert.deepEqual(pair.seen.inputs, [])
  assert.deepEqual(pair.seen.closed, ['INTEGRITY_FAILED'])
  assert.equal(pair.client.state, 'closed')
})
