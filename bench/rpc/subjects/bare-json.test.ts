import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startChild } from '../../child.ts'
import { createPayload } from '../payload.ts'
import type { ServerReport } from '../server.ts'
import { connect, createReader, createSender } from './bare-json.ts'

test('the frames of one tick leave in one write and are read back', async () => {
  const { writes, send } = recordedSender()
  send(1, { text: 'one' })
  send(2, { text: 'zwei ü 🐦' })
  await nextTurn()
  send(3, 'later')
  await nextTurn()
  assert.equal(writes.length, 2)
  assert.deepEqual(read(writes), [
    [1, { text: 'one' }],
    [2, { text: 'zwei ü 🐦' }],
    [3, 'later'],
  ])
})

test('a write that is full leaves before the tick ends', async () => {
  const { writes, send } = recordedSender(100)
  send(1, 'x'.repeat(60))
  assert.equal(writes.length, 0)
  send(2, 'x'.repeat(60))
  assert.equal(writes.length, 1)
  send(3, 'rest')
  await nextTurn()
  assert.equal(writes.length, 2)
  assert.deepEqual(
    read(writes).map(([id]) => id),
    [1, 2, 3],
  )
})

test('frames are found wherever the chunks are cut', async () => {
  const { writes, send } = recordedSender()
  const bodies = [createPayload(1), { text: 'ü'.repeat(40) }, []]
  bodies.forEach((body, index) => {
    send(index, body)
  })
  await nextTurn()
  const bytes = Buffer.concat(writes)
  const expected = [...bodies.entries()]
  for (let size = 1; size < bytes.length; size++) {
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    assert.deepEqual(read(chunks), expected, `chunks of ${size}`)
  }
})

test('the buffer grows for a body larger than itself', async () => {
  const { writes, send } = recordedSender()
  send(1, 'small')
  send(2, 'x'.repeat(300_000))
  await nextTurn()
  const [first, second] = read(writes)
  assert.deepEqual(first, [1, 'small'])
  assert.equal(second?.[1], 'x'.repeat(300_000))
})

test('echoes over a socket, many calls at a time', async (t) => {
  const server = startChild(new URL('../server.ts', import.meta.url), ['bareJson'])
  t.after(() => server.stop())
  const { port } = (await server.message(10_000)) as ServerReport
  const client = await connect(port, 1)
  const payloads = Array.from({ length: 500 }, (_, id) => createPayload(id))
  const answers = await Promise.all(payloads.map((payload) => client.echo!(payload)))
  assert.deepEqual(answers, payloads)
  await client.close()
})

function recordedSender(fullWriteBytes?: number): {
  writes: Buffer[]
  send: ReturnType<typeof createSender>
} {
  const writes: Buffer[] = []
  const write = (bytes: Uint8Array | string) => writes.push(Buffer.from(bytes)) > 0
  return { writes, send: createSender({ write }, fullWriteBytes) }
}

function read(chunks: Buffer[]): [id: number, body: unknown][] {
  const frames: [number, unknown][] = []
  const onChunk = createReader((id, body) => frames.push([id, body]))
  for (const chunk of chunks) onChunk(chunk)
  return frames
}
