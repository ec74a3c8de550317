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

function bufferBytes(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

test('a silent connection holds no memory for writing or reading, however often it is asked whether it is there', async () => {
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
    return bufferBytes()
  }
  try {
    // With the first ones comes what all share.
    const before = await openMore()
    const each = ((await openMore()) - before) / count
    assert.ok(each < 512, `${Math.round(each)} bytes a connection`)
    assert.equal(listener.connections, 2 * count)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
