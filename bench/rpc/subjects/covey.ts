/**
 * Covey over TCP as users get it: zod schemas check input and output, deadlines, traces and the default
 * stacks are on.
 */
import {
  createApp,
  createClient,
  createRuntime,
  defineContract,
  defineService,
  serverStream,
  unary,
} from 'covey'
import { z } from 'zod'
import { createPayload } from '../payload.ts'
import { type BenchClient, chunkSizes, createChunk } from '../subject.ts'

const Payload = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string(),
  score: z.number(),
  tags: z.array(z.string()),
})
const List = z.array(Payload)

const echo = defineContract('echo', {
  echo: unary({ input: Payload, output: Payload, idempotent: true }),
  echoList: unary({ input: List, output: List, idempotent: true }),
  count: serverStream({ input: z.number(), output: Payload }),
  bytes: serverStream({ input: z.number(), output: z.instanceof(Uint8Array) }),
})

const chunk = createChunk()

const echoService = defineService(echo, {
  async echo(input) {
    return input
  },
  async echoList(input) {
    return input
  },
  async *count(count) {
    for (let id = 0; id < count; id++) yield createPayload(id)
  },
  async *bytes(total) {
    for (const size of chunkSizes(total)) yield chunk.subarray(0, size)
  },
})

/** More than the 10,000 connections that one scenario holds, which is the default. */
const limits = { maxConnections: 20_000 }

/** The memory registry keeps files out of the measurement: the client is given the address. */
export async function startServer(port: number): Promise<void> {
  const app = createApp({
    name: 'echo',
    services: [echoService],
    runtime: createRuntime({ registry: 'memory:', limits }),
    overrides: { covey: { port, logLevel: 'silent' } },
  })
  await app.start()
}

/** The first call opens the connections. */
export async function connect(port: number, connections: number): Promise<BenchClient> {
  const runtime = createRuntime({ registry: 'memory:', connectionsPerInstance: connections })
  const api = createClient(echo, { target: `tcp://127.0.0.1:${port}`, runtime })
  return {
    echo: (payload) => api.echo(payload),
    echoList: (list) => api.echoList(list),
    count: (count) => api.count(count),
    bytes: (total) => api.bytes(total),
    close: () => runtime.close(),
  }
}
