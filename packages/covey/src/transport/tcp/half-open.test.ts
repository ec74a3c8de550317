import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { WireEndOrder, WireEndReport } from '../../testing/fixtures/wire-end.ts'
import { createNetworkPair, type NetworkPair } from '../../testing/network-pair.ts'
import { createTestAuthority } from '../../testing/test-authority.ts'
import type { TlsMaterial } from '../tls/tls-credentials.ts'

// A network that loses everything, between two hosts. Where this machine cannot make one, the proxy of
// `tcp-stalls.test.ts` has to do, which stands for it where calls are in flight.

const connections = 200

const authority = createTestAuthority('fleet')
const tls: TlsMaterial = {
  ...authority.issue({ spiffe: 'spiffe://fleet.test/users' }),
  ca: authority.ca,
}

interface HalfOpenOrder extends Pick<WireEndOrder, 'tls' | 'idle' | 'busy'> {
  readonly protocol?: 'http'
}

/** Opens connections from one host to the other, cuts the cable, and hears what became of both ends. */
async function cutOff(pair: NetworkPair, order: HalfOpenOrder) {
  const [here, there] = pair.hosts
  const protocol = order.protocol ?? (order.tls === undefined ? 'tcp' : 'tls')
  const address = `${protocol}://${there.address}:4100`
  const server = there.start('wire-end.ts', { do: 'serve', address, tls: order.tls })
  await server.next()
  const client = here.start('wire-end.ts', { ...order, do: 'dial', address })
  await client.next()
  // The server makes sure that its last answers have arrived; behind that all is quiet.
  await wait(1_700)
  pair.cut()
  const cutAtMs = Number(process.hrtime.bigint() / 1_000_000n)
  const ends = await Promise.all([server.next<WireEndReport>(), client.next<WireEndReport>()])
  return ends.map((end) => ({ ...end, tookMs: end.goneAtMs - cutAtMs }))
}

const lost = 'CONNECTION_LOST: '
const kinds: { name: string; order: HalfOpenOrder; why: RegExp[] }[] = [
  { name: 'idle connections', order: { idle: connections }, why: [/gone: .*\(ETIMEDOUT\)$/] },
  { name: 'idle connections of TLS', order: { idle: connections, tls }, why: [/\(ETIMEDOUT\)$/] },
  {
    name: 'connections with calls',
    order: { busy: connections },
    why: [/nothing heard for N ms$/],
  },
  // Each has up to three sockets; those of many are asked later.
  {
    name: 'idle connections of HTTP',
    order: { idle: 50, protocol: 'http' },
    why: [/the server closed the connection$/],
  },
  {
    name: 'connections of HTTP with calls',
    order: { busy: 50, protocol: 'http' },
    why: [/nothing heard for N ms$/, /the server closed the connection$/],
  },
]

for (const { name, order, why } of kinds) {
  test(`${name} to a host that is gone are let go of within 3.5 seconds, with their memory`, async (t) => {
    const pair = createNetworkPair()
    if (typeof pair === 'string') return t.skip(pair)
    after(() => pair[Symbol.asyncDispose]())
    const [server, client] = await cutOff(pair, order)
    for (const { tookMs } of [server!, client!]) {
      // A second more for a busy machine.
      assert.ok(tookMs > 1_800 && tookMs < 4_500, `${tookMs} ms`)
    }
    const kept = Object.entries(server!.kept).filter(([, count]) => count > 0)
    assert.deepEqual(kept, [], 'the server keeps objects')
    for (const reason of client!.reasons) {
      assert.ok(reason.startsWith(lost) && why.some((form) => form.test(reason)), reason)
    }
    t.diagnostic(`server ${server!.tookMs} ms, client ${client!.tookMs} ms`)
  })
}
