import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { RecordingLog } from '../../testing/recording-log.ts'
import { HandleAccount, processHandles } from './handle-account.ts'

/** An account of a process that has so many handles. */
function bench(max: number, others: number) {
  const state = { others, sockets: new Set<Socket>(), looks: 0 }
  const account = new HandleAccount(() => {
    state.looks += 1
    return { max, open: state.others + state.sockets.size }
  })
  /** A connection is accepted; undefined if it is refused. */
  const accept = (nowMs: number): Socket | undefined => {
    const socket = new EventEmitter() as Socket
    state.sockets.add(socket)
    if (account.admits(socket, nowMs)) return socket
    state.sockets.delete(socket)
    return undefined
  }
  const acceptMany = (count: number, nowMs: number) =>
    Array.from({ length: count }, () => accept(nowMs)).filter((socket) => socket !== undefined)
  const close = (socket: Socket) => {
    state.sockets.delete(socket)
    socket.emit('close')
  }
  return { state, account, acceptMany, close }
}

test('a fifth of the handles that are free is kept, whoever takes them', () => {
  const { account, acceptMany } = bench(64, 23)
  // 24 with the first connection: 40 are free, of which 8 are kept.
  assert.equal(acceptMany(100, 0).length, 33)
  assert.equal(account.most, 56)
})

test('of many no more than 64 are kept', () => {
  const { account, acceptMany } = bench(10_000, 20)
  acceptMany(1, 0)
  assert.equal(account.most, 10_000 - 64)
})

test('handles that are opened for others count, and come back', () => {
  const { state, acceptMany } = bench(64, 23)
  assert.equal(acceptMany(5, 0).length, 5)
  state.others += 25
  assert.equal(acceptMany(100, 1_000).length, 3)
  state.others -= 25
  assert.equal(acceptMany(100, 2_000).length, 25)
})

test('the place of a connection that closed is free, without a look at the system', () => {
  const { state, acceptMany, close } = bench(64, 23)
  const sockets = acceptMany(100, 0)
  for (const socket of sockets.slice(0, 10)) close(socket)
  assert.equal(acceptMany(100, 1).length, 10)
  assert.equal(state.looks, 1)
})

test('the more handles, the rarer the looks', () => {
  const { state, acceptMany } = bench(100_000, 20)
  for (let nowMs = 0; nowMs < 1_000; nowMs++) acceptMany(10, nowMs)
  assert.ok(state.looks < 30, `${state.looks} looks`)
})

test('the log says it once a minute, for all listeners', () => {
  const { account } = bench(64, 23)
  const [one, other] = [new RecordingLog(), new RecordingLog()]
  for (const nowMs of [0, 10, 59_999]) account.warn(one, nowMs)
  account.warn(other, 100)
  assert.deepEqual([one.lines.length, other.lines.length], [1, 0])
  account.warn(other, 60_000)
  assert.equal(other.lines.length, 1)
})

test('this process is asked itself', { skip: process.platform !== 'linux' }, () => {
  assert.equal(processHandles.admits(new EventEmitter() as Socket, 0), true)
  assert.ok(Number.isFinite(processHandles.most) && processHandles.most > 10)
})
