import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../base/clock.ts'
import { frameType } from '../../codec/frame/frame-type.ts'
import { FrameWriter } from '../../codec/frame/frame-writer.ts'
import { until } from '../../testing/until.ts'
import { defaultLimits } from '../limits.ts'
import type { Dispatcher } from '../transport.ts'
import { tcpTransport } from './tcp-transport.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const nobody: Dispatcher = { instance: 'i', methods: [], serve: async () => {} } as never

/** Shakes hands, answers pings, and does nothing else. */
async function idle(address: string, onPing: () => void): Promise<Socket> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  const hello = { covey: 1, newest: 2, codecs: ['shapes'] }
  const sizes = { maxFrameBytes: 65_536, streamWindowBytes: 65_536 }
  socket.write(frame(frameType.hello, JSON.stringify({ ...hello, ...sizes })))
  await once(socket, 'data')
  socket.on('data', () => {
    onPing()
    socket.write(frame(frameType.pong, ''))
  })
  return socket
}

function frame(type: number, body: string): Uint8Array {
  const writer = new FrameWriter(65_536)
  writer.frame(type, 0, 0, (out) => void out.text(body))
  return writer.take()
}

function settledMemory(): { buffers: number; heap: number } {
  for (let round = 0; round < 3; round++) collectGarbage()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return { buffers: arrayBuffers, heap: heapUsed }
}

test('a silent connection holds little, and no memory for writing or reading, however often it is asked whether it is there', async () => {
  const limits = { ...defaultLimits, idlePingMs: 100 }
  await using listener = await tcpTransport.listen('tcp://127.0.0.1:0', nobody, {
    limits,
    clock: systemClock,
  })
  const count = 300
  const sockets: Socket[] = []
  let pings = 0
  const openMore = async () => {
    const open = Array.from({ length: count }, () => idle(listener.address, () => pings++))
    sockets.push(...(await Promise.all(open)))
    const enough = pings + 3 * sockets.length
    await until(() => pings > enough, 'three pings each', 20_000)
    return settledMemory()
  }
  try {
    // With the first ones comes what all share.
    const before = await openMore()
    const after = await openMore()
    const each = (after.buffers - before.buffers) / count
    assert.ok(each < 512, `${Math.round(each)} bytes a connection`)
    const heapEach = (after.heap - before.heap) / count
    // About 2 KiB of it are the socket of the test; a closure more for each session would not be seen, ten would.
    assert.ok(heapEach < 5_000, `${Math.round(heapEach)} bytes of the heap a connection`)
    assert.equal(listener.connections, 2 * count)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
