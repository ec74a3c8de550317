import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type HttpBench, openHttpBench, shop } from '../../testing/fixtures/http-bench.ts'
import { clientOver } from '../../testing/tcp-line.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import { connectHttp } from './client.ts'
import { headerName, mediaType } from './wire.ts'

// How a server stops whose clients call on other sockets than the one on which they are told so.

const limited = { timeout: 30_000 }

/** Of a client that names the instance, as those with a link do. */
const known = { [headerName.instance]: 'shop-1' }

/** A link, and what asks for it. */
async function openLink({ port, url }: HttpBench) {
  const socket: Socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.on('data', (bytes) => {
    heard += String(bytes)
  })
  socket.on('error', () => {})
  socket.write(['GET /rpc HTTP/1.1', 'host: a', `accept: ${mediaType.frames}`, '', ''].join('\r\n'))
  const link = () => /"link":"([^"]+)"/.exec(heard)?.[1]
  await until(() => link() !== undefined, 'it is open')
  const say = async (calls: number) => {
    const { status } = await fetch(`${url}/rpc?link=${link()}&calls=${calls}`, { method: 'HEAD' })
    assert.equal(status, 204)
  }
  return { socket, say }
}

/** Begins to drain; tells whether it is done. */
function drain({ listener }: HttpBench) {
  const state = { done: false, ended: listener.drain() }
  void state.ended.then(() => {
    state.done = true
  })
  return state
}

test(
  'a server that stops serves clients that have not read of it, until they say that they have',
  limited,
  async () => {
    await using bench = await openHttpBench({ clock: new FakeClock() })
    const link = await openLink(bench)
    const draining = drain(bench)
    // Each on a new socket, for the last answer closes its own.
    assert.equal((await bench.post('nothing', null, known)).status, 204)
    assert.equal((await bench.post('nothing', null)).status, 503)
    // What would be broken off at once is not begun.
    assert.equal((await bench.post('count', { to: 3 }, known)).status, 503)
    await link.say(1)
    assert.equal((await bench.post('nothing', null, known)).status, 204)
    assert.equal(draining.done, false)
    await link.say(0)
    await draining.ended
    await assert.rejects(bench.post('nothing', null, known), /fetch failed/)
    link.socket.destroy()
  },
)

test(
  'a request that is still coming in is served as long as its client may not know of the end',
  limited,
  async () => {
    await using bench = await openHttpBench({ clock: new FakeClock() })
    const link = await openLink(bench)
    const begin = async () => {
      const socket = connect(bench.port, '127.0.0.1')
      const sent = { socket, answer: '' }
      socket.on('data', (bytes) => {
        sent.answer += String(bytes)
      })
      const heads = ['host: a', 'content-type: application/json', 'content-length: 1']
      heads.push(`${headerName.instance}: shop-1`, 'expect: 100-continue', '', '')
      socket.write(['POST /rpc/shop/echo HTTP/1.1', ...heads].join('\r\n'))
      await until(() => sent.answer.includes('100 Continue'), 'the head is read')
      return sent
    }
    const served = await begin()
    const refused = await begin()
    const draining = drain(bench)
    served.socket.write('7')
    await until(() => / 200 OK.*7$/s.test(served.answer), 'it is served')
    await link.say(0)
    await until(() => refused.answer.includes('"code":"DRAINING"'), 'it is refused')
    await draining.ended
    for (const { socket } of [link, served, refused]) socket.destroy()
  },
)

test('a client that says nothing, or is gone, is not waited for', limited, async () => {
  const clock = new FakeClock()
  await using bench = await openHttpBench({ clock })
  const silent = await openLink(bench)
  const busy = await openLink(bench)
  const draining = drain(bench)
  await busy.say(2)
  await clock.advance(defaultLimits.silenceMs)
  // A client that has said that it has calls in flight is.
  assert.equal((await bench.post('nothing', null, known)).status, 204)
  assert.equal(draining.done, false)
  busy.socket.destroy()
  await draining.ended
  silent.socket.destroy()
})

test('the end of the time for draining ends the waiting for clients', limited, async () => {
  await using bench = await openHttpBench({ clock: new FakeClock() })
  const link = await openLink(bench)
  const limit = new AbortController()
  const ended = bench.listener.drain(limit.signal)
  await link.say(1)
  limit.abort()
  await ended
  link.socket.destroy()
})

test(
  'a stream of inputs that was begun may end, and its client says so at once',
  limited,
  async () => {
    await using bench = await openHttpBench()
    // Its clock stands still, so it asks for nothing by itself.
    const options = { clock: new FakeClock(), limits: defaultLimits }
    await using connection = await connectHttp(bench.url, options)
    const begun = Promise.withResolvers<void>()
    const stopping = Promise.withResolvers<void>()
    async function* inputs() {
      yield 1
      begun.resolve()
      await stopping.promise
      yield 2
    }
    const sum = clientOver(shop, connection).sum(inputs())
    await begun.promise
    const draining = drain(bench)
    await until(() => connection.state === 'draining', 'it knows of the end')
    stopping.resolve()
    assert.equal(await sum, 3)
    await draining.ended
  },
)

test('what a server has answered before it ended its link is heard', limited, async () => {
  await using bench = await openHttpBench()
  await using connection = await connectHttp(bench.url, {
    clock: systemClock,
    limits: defaultLimits,
  })
  const api = clientOver(shop, connection)
  const calls = Array.from({ length: 10 }, () => assert.rejects(api.hang(), /the server stopped/))
  await until(() => bench.seen.hanging === calls.length, 'they run')
  bench.listener.goAway()
  await until(() => connection.state === 'draining', 'it knows of the end')
  await bench.listener.close()
  await Promise.all(calls)
  assert.equal(connection.state, 'closed')
})
