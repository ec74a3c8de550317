import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../testing/fake-clock.ts'
import { RecordingLog } from '../testing/recording-log.ts'
import { type UnprovedPeer, UnprovedPeers } from './unproved-peers.ts'

const peer: UnprovedPeer = { role: 'client', address: '10.0.0.7:4100', why: 'it has none' }

test('the first is told at once, then how many there are each minute, and in the end that there is none', async () => {
  const [clock, log] = [new FakeClock(), new RecordingLog()]
  using peers = new UnprovedPeers(clock, log)
  const said = () =>
    log.lines
      .splice(0)
      .map(({ level, fields }) =>
        level === 'warn' ? `${fields.open} open, ${fields.since} new` : level,
      )
  assert.equal(clock.waiting, 0)
  const leave = [peers.add(peer)]
  assert.deepEqual(log.lines[0]?.fields, {
    open: 1,
    since: 1,
    role: 'client',
    peer: '10.0.0.7:4100',
    why: 'it has none',
  })
  assert.deepEqual(said(), ['1 open, 1 new'])
  leave.push(peers.add(peer), peers.add(peer))
  await clock.advance(59_999)
  assert.deepEqual(said(), [])
  await clock.advance(1)
  assert.deepEqual(said(), ['3 open, 2 new'])
  for (const left of leave) {
    left()
    left()
  }
  peers.add(peer)()
  await clock.advance(60_000)
  assert.deepEqual(said(), ['0 open, 1 new'])
  await clock.advance(60_000)
  assert.deepEqual(said(), ['info'])
  assert.equal(clock.waiting, 0)
  await clock.advance(600_000)
  assert.deepEqual(said(), [])
  peers.add(peer)
  assert.deepEqual(said(), ['1 open, 1 new'])
})
