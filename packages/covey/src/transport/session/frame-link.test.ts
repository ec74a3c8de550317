import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameDecoder } from '../../codec/frame/frame-decoder.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { CoveyError } from '../../error/covey-error.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { type MemoryPipe, memoryPipe } from '../../testing/memory-pipe.ts'
import { defaultLimits, type Limits } from '../limits.ts'
import { FrameLink, type LinkOwner } from './frame-link.ts'

const { item, ping, pong, error: errorFrame, result } = frameType
const mebibyte = 1024 * 1024

interface Shown {
  readonly type: number
  readonly id: number
  readonly text: string
}

interface Wishes {
  readonly busy?: boolean
  readonly answers?: boolean
  readonly guarded?: boolean
  readonly tellsStalls?: boolean
  onFrame?(shown: Shown): void
}

function bench(limits: Partial<Limits> = {}, wishes: Wishes = {}) {
  const clock = new FakeClock()
  const { busy = false, answers = true, guarded = false, tellsStalls = false, onFrame } = wishes
  const pipe: MemoryPipe = Object.assign(memoryPipe(), { guarded })
  const frames: Shown[] = []
  const ends: (string | undefined)[] = []
  const stalls: (number | undefined)[] = []
  const onStalled = () => void stalls.push(link.stalledMs)
  const owner: LinkOwner = {
    ...(tellsStalls ? { onStalled } : {}),
    hasCalls: busy,
    answers,
    onFrame({ type, id, bytes, start, end }) {
      const shown = { type, id, text: new TextDecoder().decode(bytes.slice(start, end)) }
      frames.push(shown)
      onFrame?.(shown)
    },
    onClosed: (reason) => void ends.push(reason && `${reason.code}: ${reason.message}`),
  }
  const options = { limits: { ...defaultLimits, ...limits }, clock }
  const link: FrameLink = new FrameLink(pipe, owner, options, 1_000)
  return { clock, pipe, link, frames, ends, stalls }
}

function frame(type: number, id = 0, text = ''): Uint8Array {
  const writer = new FrameWriter(1 << 24)
  writer.frame(type, 0, id, (out) => out.text(text))
  return writer.take()
}

/** What was written since the last look. */
function written(pipe: MemoryPipe): Shown[] {
  pipe.turn()
  const seen: Shown[] = []
  const decoder = new FrameDecoder(1 << 24)
  for (const chunk of pipe.writes.splice(0)) {
    decoder.push(chunk, ({ type, id, bytes, start, end }) => {
      seen.push({ type, id, text: new TextDecoder().decode(bytes.slice(start, end)) })
    })
  }
  return seen
}

test('frames of one turn leave in one write, and a full write leaves before', () => {
  const { pipe, link } = bench()
  const size = link.send(item, 0, 1, (out) => out.text('x'))
  assert.equal(size, 11)
  link.send(item, 0, 2)
  assert.deepEqual([pipe.writes.length, link.batch], [0, 0])
  pipe.turn()
  assert.deepEqual([pipe.writes.length, link.batch], [1, 1])
  const sendMany = (count: number) => {
    for (let n = 0; n < count; n++) link.send(item, 0, n, (out) => out.text('x'.repeat(1_000)))
  }
  // 8 KiB, then 16 KiB; the rest waits for 32 KiB or the end of the turn.
  sendMany(30)
  assert.equal(pipe.writes.length, 3)
  pipe.turn()
  assert.equal(pipe.writes.length, 4)
  assert.equal(link.batch, 4)
  assert.equal(written(pipe).length, 32)
  sendMany(9)
  assert.equal(pipe.writes.length, 1, 'the next turn begins with 8 KiB again')
})

test('a frame that cannot be sent leaves no trace', () => {
  const { pipe, link } = bench()
  link.established(100)
  link.send(item, 0, 1)
  assert.throws(() => link.send(item, 0, 2, (out) => out.text('x'.repeat(200))), {
    code: 'MESSAGE_TOO_LARGE',
  })
  link.send(item, 0, 3)
  assert.deepEqual(
    written(pipe).map(({ id }) => id),
    [1, 3],
  )
})

test('frames are handed on, but those about the connection alone', () => {
  const { pipe, link, frames } = bench()
  const bytes = Buffer.concat([frame(ping), frame(result, 7, 'x'), frame(pong), frame(item, 8)])
  for (const byte of bytes) pipe.receive(new Uint8Array([byte]))
  assert.deepEqual(frames, [
    { type: result, id: 7, text: 'x' },
    { type: item, id: 8, text: '' },
  ])
  assert.deepEqual(written(pipe), [{ type: pong, id: 0, text: '' }])
  assert.equal(link.open, true)
})

test('a stranger may send little at first, and as much as was agreed later', () => {
  const strange = bench()
  strange.pipe.receive(frame(item, 1, 'x'.repeat(2_000)))
  assert.match(
    strange.ends[0] ?? '',
    /^MESSAGE_TOO_LARGE: a frame of 2006 bytes; the limit is 1000/,
  )
  const known = bench()
  known.link.established(mebibyte)
  known.pipe.receive(frame(item, 1, 'x'.repeat(2_000)))
  assert.equal(known.frames.length, 1)
})

test('a peer that sends nonsense is told so; what comes behind it is not read', async () => {
  const refusal = new CoveyError('PROTOCOL_ERROR', 'a second hello')
  const { pipe, ends, frames, clock } = bench(
    {},
    {
      onFrame() {
        throw refusal
      },
    },
  )
  pipe.receive(Buffer.concat([frame(item, 1), frame(item, 2)]))
  pipe.receive(frame(item, 3))
  assert.equal(frames.length, 1)
  const expected = { type: errorFrame, id: 0, text: JSON.stringify(refusal.toData()) }
  assert.deepEqual(written(pipe), [expected])
  assert.equal(pipe.state, 'ended')
  await clock.advance(0)
  assert.deepEqual(ends, ['PROTOCOL_ERROR: a second hello'])
  assert.equal(clock.waiting, 0)
})

test('closing sends what is waiting first, reads nothing more and has no reason', async () => {
  const { pipe, link, ends, frames, clock } = bench()
  link.send(item, 0, 1)
  link.end()
  link.end()
  assert.equal(link.open, false)
  assert.equal(written(pipe).length, 1)
  pipe.receive(frame(item, 2))
  assert.equal(frames.length, 0)
  await clock.advance(0)
  assert.deepEqual([ends, pipe.state, clock.waiting], [[undefined], 'ended', 0])
})

test('closing upon a frame leaves the rest of what arrived with it unread', () => {
  const { pipe, link, frames } = bench({}, { onFrame: () => link.end() })
  pipe.receive(Buffer.concat([frame(item, 1), frame(item, 2)]))
  assert.equal(frames.length, 1)
})

test('a peer that does not take the last bytes is cut off after connectMs', async () => {
  const { pipe, link, clock } = bench()
  pipe.end = () => {}
  link.end()
  await clock.advance(999)
  assert.equal(pipe.state, 'open')
  await clock.advance(1)
  assert.equal(pipe.state, 'destroyed')
})

test('the end of a peer is told once, with its cause', () => {
  const { pipe, link, ends } = bench()
  pipe.disconnect(new Error('ECONNRESET'))
  pipe.disconnect()
  link.end()
  assert.deepEqual(ends, ['CONNECTION_LOST: ECONNRESET'])
  const quiet = bench()
  quiet.pipe.disconnect()
  assert.deepEqual(quiet.ends, ['CONNECTION_LOST: the peer closed the connection'])
})

test('a peer with calls that says nothing is asked once, and let go of after silenceMs', async () => {
  const { clock, pipe, link, ends } = bench({ pingMs: 1_000, silenceMs: 3_000 }, { busy: true })
  link.established(1_000)
  const types = () => written(pipe).map(({ type }) => type)
  await clock.advance(800)
  pipe.receive(frame(item, 1))
  await clock.advance(980)
  assert.deepEqual(types(), [])
  await clock.advance(300)
  assert.deepEqual(types(), [ping])
  pipe.receive(frame(pong))
  await clock.advance(2_900)
  assert.deepEqual([types(), ends], [[ping], []])
  await clock.advance(400)
  assert.match(ends[0]!, /^CONNECTION_LOST: nothing heard for 3[012]\d\d ms$/)
  assert.equal(pipe.state, 'destroyed')
  assert.equal(clock.waiting, 0)
})

test('an idle pipe that the system guards is left alone, with answers to pings as well', async () => {
  const { clock, pipe, link } = bench({}, { guarded: true })
  link.established(1_000)
  await clock.advance(1_000)
  pipe.receive(frame(ping))
  assert.deepEqual(
    written(pipe).map(({ type }) => type),
    [pong],
  )
  const before = clock.waiting
  await clock.advance(18_000)
  assert.deepEqual([written(pipe), before], [[], 1])
  const asked: number[] = []
  for (let n = 0; asked.length === 0 && n < 75; n++) {
    await clock.advance(100)
    asked.push(...written(pipe).map(({ type }) => type))
  }
  assert.deepEqual(asked, [ping])
})

test('what left last is made sure of, also when a pong left before it in the same turn', async () => {
  const { clock, pipe, link, ends } = bench({}, { guarded: true })
  link.established(1_000)
  await clock.advance(1_000)
  pipe.receive(frame(ping))
  link.send(result, 0, 1)
  assert.equal(written(pipe).length, 2)
  await clock.advance(1_300)
  assert.deepEqual(
    written(pipe).map(({ type }) => type),
    [ping],
  )
  await clock.advance(2_000)
  assert.match(ends[0]!, /^CONNECTION_LOST: nothing heard/)
})

test('a server that stands still is told to the end that wants to know, and when it is heard again', async () => {
  const { clock, pipe, link, stalls } = bench({}, { busy: true, tellsStalls: true })
  link.established(1_000)
  await clock.advance(1_000)
  assert.equal(stalls.length, 1)
  assert.ok(stalls[0]! >= 800 && stalls[0]! < 1_000, `${stalls}`)
  pipe.receive(frame(pong))
  assert.deepEqual(stalls.slice(1), [undefined])
  const other = bench({ pingMs: 1_000 }, { busy: true })
  other.link.established(1_000)
  await other.clock.advance(2_000)
  assert.deepEqual([other.stalls, written(other.pipe).length], [[], 1])
})

test('half a frame is waited for no longer than partialFrameMs, whole ones in between forgive', async () => {
  const { clock, pipe, ends } = bench({ partialFrameMs: 5_000, silenceMs: 60_000 })
  const half = frame(item, 1, 'hello').slice(0, 12)
  pipe.receive(half)
  await clock.advance(5_000)
  assert.deepEqual(ends, [])
  pipe.receive(Buffer.concat([frame(item, 1, 'hello').slice(12), half]))
  await clock.advance(5_000)
  assert.deepEqual(ends, [])
  await clock.advance(700)
  assert.deepEqual(ends, ['PROTOCOL_ERROR: half a frame for 5000 ms'])
})

test('a peer that does not take what is sent is given up after slowReaderMs', async () => {
  const { clock, pipe, link, ends } = bench({ silenceMs: 600_000 })
  pipe.unsentBytes = 2 * mebibyte
  link.send(item, 0, 1)
  pipe.turn()
  await clock.advance(10_000)
  assert.deepEqual(ends, [])
  await clock.advance(1_000)
  assert.match(ends[0] ?? '', /^CONNECTION_LOST: the peer took nothing for 10000 ms, 2097152 bytes/)
})

test('a peer that took it is forgiven, whether its pipe says so or not', async () => {
  for (const take of [(pipe: MemoryPipe) => pipe.drain(), empty]) {
    const { clock, pipe, link, ends } = bench({ silenceMs: 600_000 })
    pipe.unsentBytes = 2 * mebibyte
    link.send(item, 0, 1)
    pipe.turn()
    await clock.advance(5_000)
    take(pipe)
    await clock.advance(60_000)
    assert.deepEqual(ends, [])
  }
})

test('memory for writing is used again when the pipe has sent what was handed over', () => {
  const { pipe, link } = bench()
  const written: ArrayBufferLike[] = []
  pipe.write = ({ buffer, length }) => {
    written.push(buffer)
    pipe.unsentBytes += length
    return false
  }
  const write = () => {
    link.send(item, 0, 1, (out) => out.raw(new Uint8Array(10_000)))
    pipe.turn()
  }
  for (let count = 0; count < 3; count++) write()
  const used = new Set(written)
  assert.ok(used.size > 1)
  pipe.drain()
  for (let count = 0; count < 3; count++) write()
  assert.equal(new Set(written).size, used.size)
})

/** As the WebSocket of a browser, which sends and never tells. */
function empty(pipe: MemoryPipe): void {
  pipe.unsentBytes = 0
}

test('who sends much waits for room, until the peer took it or is gone', async () => {
  for (const end of [
    ({ pipe }: ReturnType<typeof bench>) => pipe.drain(),
    ({ pipe }: ReturnType<typeof bench>) => pipe.disconnect(),
    async ({ pipe, clock }: ReturnType<typeof bench>) => {
      empty(pipe)
      await clock.advance(1_000)
    },
  ]) {
    const made = bench({ silenceMs: 600_000 })
    await made.link.room()
    made.pipe.unsentBytes = mebibyte + 1
    made.link.send(item, 0, 1)
    made.pipe.turn()
    let roomy = false
    void made.link.room().then(() => {
      roomy = true
    })
    await made.clock.advance(900)
    assert.equal(roomy, false)
    await end(made)
    await made.clock.advance(0)
    assert.equal(roomy, true)
  }
})

test('a peer that does not take its answers is read no more until it does, and is not silent', async () => {
  const { clock, pipe, link, frames, ends } = bench({ slowReaderMs: 600_000 })
  pipe.unsentBytes = mebibyte
  link.holdIfFull()
  assert.equal(pipe.paused, false)
  pipe.unsentBytes += 1
  pipe.receive(frame(item, 1))
  assert.deepEqual([pipe.paused, frames.length], [true, 1])
  await clock.advance(60_000)
  assert.deepEqual([ends, written(pipe)], [[], []])
  pipe.drain()
  assert.equal(pipe.paused, false)
  await clock.advance(2_000)
  assert.deepEqual(ends, [])
})

test('the end that asks goes on reading while its calls wait, but not pings for ever', async () => {
  const { pipe, link, frames } = bench({ maxQueuedBytes: 1_000 }, { answers: false })
  pipe.unsentBytes = 64 * mebibyte
  pipe.receive(frame(result, 1))
  assert.deepEqual([pipe.paused, frames.length, link.full], [false, 1, true])
  for (let count = 0; count < 100; count++) pipe.receive(frame(ping))
  assert.equal(pipe.paused, false)
  pipe.receive(frame(ping))
  assert.equal(pipe.paused, true)
  pipe.drain()
  for (let count = 0; count < 1_000; count++) pipe.receive(frame(ping))
  assert.equal(pipe.paused, false, 'a peer that takes its pongs may have more')
})

test('a peer that takes something now and then is not given up, however much waits', async () => {
  const takes = {
    aWrite(pipe: MemoryPipe) {
      pipe.unsentBytes -= 1
    },
    aPartOfOne(pipe: MemoryPipe) {
      pipe.sendingBytes! -= 1
    },
  }
  for (const take of Object.values(takes)) {
    const { clock, pipe, link, ends } = bench({ silenceMs: 600_000 })
    pipe.sendingBytes = 2 * mebibyte
    pipe.unsentBytes = 2 * mebibyte
    link.send(item, 0, 1)
    pipe.turn()
    for (let times = 0; times < 5; times++) {
      await clock.advance(9_000)
      take(pipe)
    }
    await clock.advance(9_000)
    // More of our own is nothing that the peer took.
    pipe.unsentBytes += 11
    link.send(item, 0, 1)
    pipe.turn()
    assert.deepEqual(ends, [])
    await clock.advance(2_000)
    assert.match(ends[0] ?? '', /^CONNECTION_LOST: the peer took nothing for 10000 ms/)
  }
})

test('failing tells why and closes at once', async () => {
  const { clock, pipe, link, ends } = bench()
  link.fail(new CoveyError('UNAVAILABLE', 'no handshake'))
  assert.deepEqual([pipe.state, link.open], ['destroyed', false])
  assert.deepEqual(ends, ['UNAVAILABLE: no handshake'])
  assert.equal(clock.waiting, 0)
})
