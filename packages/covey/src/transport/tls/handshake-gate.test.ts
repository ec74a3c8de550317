import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { FakeClock } from '../../testing/fake-clock.ts'
import { HandshakeGate } from './handshake-gate.ts'

/** As much of a socket as the gate sees. */
class Stranger extends EventEmitter {
  readonly remoteAddress: string
  readonly remotePort: number
  bytesWritten = 0
  destroyed = false

  constructor(remotePort: number, remoteAddress = '127.0.0.1') {
    super()
    this.remotePort = remotePort
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function bench(maxHandshakes = 2) {
  const clock = new FakeClock()
  const told: string[] = []
  const warn = (_: unknown, message: string) => void told.push(message)
  const gate = new HandshakeGate({ limits: { maxHandshakes }, clock, warn })
  let port = 1
  const join = (own = port++, address?: string) => {
    const stranger = new Stranger(own, address)
    gate.enter(stranger as unknown as Socket)
    return stranger
  }
  /** Lets time go by, and the event loop round. */
  const wait = async (ms: number, rounds = 4) => {
    await clock.advance(ms)
    for (let round = 0; round < rounds; round++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const leave = (stranger: Stranger) => gate.leave(stranger as unknown as Socket)
  return { clock, gate, told, join, wait, leave }
}

test('a newcomer is cut off as long as all the others may still be quick', async () => {
  const { gate, told, join, wait } = bench()
  const [one, two] = [join(), join()]
  await wait(499)
  const late = join()
  assert.deepEqual(
    [one, two, late].map(({ destroyed }) => destroyed),
    [false, false, true],
  )
  assert.equal(gate.size, 2)
  assert.deepEqual(told, ['a connection was closed: 2 are shaking hands'])
})

test('it takes the place of one that was silent for half a second, the oldest first', async () => {
  const { gate, join, wait } = bench()
  const one = join()
  await wait(100)
  const two = join()
  await wait(400)
  const late = join()
  assert.deepEqual(
    [one, two, late].map(({ destroyed }) => destroyed),
    [true, false, false],
  )
  assert.equal(gate.size, 2)
})

test('time in which this side stood still is not held against anybody', async () => {
  const { clock, join } = bench(1)
  const one = join()
  clock.advance(5_000)
  await new Promise((resolve) => setImmediate(resolve))
  // One round: what it sent meanwhile may not have been read.
  assert.equal(join().destroyed, true)
  assert.equal(one.destroyed, false)
})

test('one that was answered meanwhile has another half second, and no more', async () => {
  const { join, wait } = bench(1)
  const one = join()
  await wait(600)
  join()
  await wait(0)
  one.bytesWritten = 1_000
  assert.equal(join().destroyed, true)
  assert.equal(one.destroyed, false)
  await wait(499)
  one.bytesWritten = 2_000
  assert.equal(join().destroyed, true)
  await wait(1)
  assert.equal(join().destroyed, false)
  assert.equal(one.destroyed, true)
})

test('a place is free when its handshake is done, or its socket closed', async () => {
  const { gate, join, wait, leave } = bench(2)
  const [one, two] = [join(), join()]
  await wait(70)
  assert.equal(leave(one), 70)
  assert.equal(leave(one), 0)
  two.destroy()
  assert.equal(gate.size, 0)
  const [three, four] = [join(), join()]
  assert.deepEqual([three.destroyed, four.destroyed, gate.size], [false, false, 2])
  leave(four)
  // The end of one that is done takes no place from the next one with its address.
  const again = join(four.remotePort)
  four.destroy()
  assert.deepEqual([gate.size, again.destroyed], [2, false])
  gate.close()
  assert.deepEqual([three.destroyed, again.destroyed, gate.size], [true, true, 0])
})

test('an address that has more than half of the places gives them up to others at once', () => {
  const { gate, join } = bench(4)
  const crowd = [1, 2, 3, 4].map((port) => join(port, '192.0.2.9'))
  const others = [join(1, '192.0.2.1'), join(1, '192.0.2.2'), join(1, '192.0.2.3')]
  const gone = (strangers: Stranger[]) => strangers.map(({ destroyed }) => destroyed)
  assert.deepEqual(gone(crowd), [true, true, false, false])
  assert.deepEqual(gone(others), [false, false, true])
  // The places of those who left count no more.
  for (const stranger of others) stranger.destroy()
  const again = [5, 6].map((port) => join(port, '192.0.2.9'))
  assert.deepEqual(gone(again), [false, false])
  assert.equal(join(2, '192.0.2.1').destroyed, false)
  assert.equal(gate.size, 4)
})
