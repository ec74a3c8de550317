import { wrongAnswer } from './measure.ts'
import { createPayload, isEcho } from './payload.ts'
import { type BenchClient, createChunk } from './subject.ts'

export interface StreamLoad {
  /** Streams that are open at any time. */
  streams: number
  seconds: number
}

export interface StreamFigures {
  messagesPerSecond: number
}

export interface BulkFigures {
  bytes: number
  seconds: number
  megabytesPerSecond: number
}

/** Messages of one stream: long enough that opening it does not show. */
const messagesPerStream = 10_000

/** Reads server streams, one after the other in each of `streams` readers, and checks each message. */
export async function measureStreams(
  client: BenchClient,
  load: StreamLoad,
): Promise<StreamFigures> {
  const startMs = performance.now()
  const endMs = startMs + load.seconds * 1000
  const readers = Array.from({ length: load.streams }, () => readUntil(client, endMs))
  const counts = await Promise.all(readers)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const elapsedMs = performance.now() - startMs
  return { messagesPerSecond: Math.round((total / elapsedMs) * 1000) }
}

async function readUntil(client: BenchClient, endMs: number): Promise<number> {
  let total = 0
  while (performance.now() < endMs) {
    let id = 0
    for await (const message of client.count!(messagesPerStream)) {
      if (!isEcho(createPayload(id++), message)) throw wrongAnswer(message)
    }
    if (id !== messagesPerStream) throw new Error(`a stream ended after ${id} messages`)
    total += id
  }
  return total
}

/** Reads one stream of `total` bytes to its end and checks how much came and how chunks begin and end. */
export async function measureBytes(client: BenchClient, total: number): Promise<BulkFigures> {
  const expected = createChunk()
  const startMs = performance.now()
  let received = 0
  for await (const chunk of client.bytes!(total)) {
    // Chunks may be cut anew on the way, so only their place in the pattern is known.
    const at = received % expected.length
    if (chunk[0] !== expected[at]) throw new Error(`wrong byte at ${received}: ${chunk[0]}`)
    received += chunk.length
  }
  if (received !== total) throw new Error(`${received} bytes instead of ${total}`)
  const seconds = (performance.now() - startMs) / 1000
  return { bytes: total, seconds, megabytesPerSecond: Math.round(total / seconds / 1e6) }
}
