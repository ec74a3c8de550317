import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { defaultLimits } from '../limits.ts'
import { openSocket, type SocketOpening } from './open-socket.ts'

const limits = { ...defaultLimits, connectMs: 100, handshakeMs: 300 }

/** Opens a socket whose events the test makes. */
function bench(opening: Partial<SocketOpening<Socket>> = {}) {
  const clock = new FakeClock()
  const socket = new Socket()
  const opened = openSocket(
    'tcp://a:1',
    { limits, clock },
    {
      connect: () => socket,
      event: 'connect',
      check() {},
      ...opening,
    },
  )
  const said = opened.then(
    () => 'open',
    ({ code, message }: CoveyError) => `${code}: ${message}`,
  )
  return { clock, socket, said }
}

test('a socket is handed over with its first event, and no limit holds any more', async () => {
  const { clock, socket, said } = bench()
  socket.emit('connect')
  assert.equal(await said, 'open')
  await clock.advance(10_000)
  assert.deepEqual([socket.destroyed, socket.listenerCount('error')], [false, 0])
})

test('one that does not connect in time is closed', async () => {
  const { clock, socket, said } = bench()
  await clock.advance(100)
  assert.equal(await said, 'UNAVAILABLE: tcp://a:1: no answer within 100 ms')
  assert.equal(socket.destroyed, true)
})

test('a carrier that shakes hands has its time for that behind connecting', async () => {
  const { clock, socket, said } = bench({ event: 'secureConnect' })
  await clock.advance(90)
  socket.emit('connect')
  await clock.advance(290)
  assert.equal(socket.destroyed, false)
  await clock.advance(10)
  assert.equal(await said, 'UNAVAILABLE: tcp://a:1: no answer within 300 ms')
  assert.equal(socket.destroyed, true)
})

test('who has answered, and what errors mean, is for the kind of socket to say', async () => {
  const wrong = bench({
    check() {
      throw new CoveyError('UNAUTHENTICATED', 'somebody else')
    },
  })
  wrong.socket.emit('connect')
  assert.equal(await wrong.said, 'UNAUTHENTICATED: somebody else')
  assert.equal(wrong.socket.destroyed, true)
  const meaning = ({ message }: Error) =>
    message === 'known' ? new CoveyError('UNAUTHENTICATED', 'not believed') : undefined
  const known = bench({ meaning })
  known.socket.emit('error', new Error('known'))
  assert.equal(await known.said, 'UNAUTHENTICATED: not believed')
  const other = bench({ meaning })
  other.socket.emit('error', new Error('some other'))
  assert.match(await other.said, /^UNAVAILABLE: tcp:\/\/a:1: .*some other/)
  assert.deepEqual([known.socket.destroyed, other.socket.destroyed], [true, true])
})
