/**
 * gRPC by `@grpc/grpc-js`: plain-text HTTP/2, one channel, default options, protobuf through
 * `@grpc/proto-loader`.
 */
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { createPayload, type Payload } from '../payload.ts'
import { spread } from '../spread.ts'
import { type BenchClient, chunkSizes, createChunk } from '../subject.ts'

type Amount = { of: number }
type List = { items: Payload[] }
type Reply<T> = (error: ServiceError | null, value?: T) => void
type EchoStub = Client & {
  echo(payload: Payload, reply: Reply<Payload>): void
  echoList(list: List, reply: Reply<List>): void
  count(amount: Amount): ClientReadableStream<Payload>
  bytes(amount: Amount): ClientReadableStream<{ data: Uint8Array }>
}

const connectLimitMs = 10_000

const implementation: UntypedServiceImplementation = {
  echo: (call: { request: Payload }, reply: Reply<Payload>) => reply(null, call.request),
  echoList: (call: { request: List }, reply: Reply<List>) => reply(null, call.request),
  count: (call: ServerWritableStream<Amount, Payload>) => {
    void writeAll(call, payloadsUpTo(call.request.of))
  },
  bytes: (call: ServerWritableStream<Amount, { data: Uint8Array }>) => {
    void writeAll(call, chunksOf(call.request.of))
  },
}

export async function startServer(port: number): Promise<void> {
  const server = new Server()
  server.addService(loadEcho().service, implementation)
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    )
  })
}

export function connect(port: number, connections: number): Promise<BenchClient> {
  return spread(connections, () => open(port))
}

async function open(port: number): Promise<BenchClient> {
  const Echo = loadEcho()
  // Channels to one address share a connection otherwise.
  const options = { 'grpc.use_local_subchannel_pool': 1 }
  const plain = credentials.createInsecure()
  const stub = new Echo(`127.0.0.1:${port}`, plain, options) as unknown as EchoStub
  await new Promise<void>((resolve, reject) => {
    stub.waitForReady(Date.now() + connectLimitMs, (error) => (error ? reject(error) : resolve()))
  })
  return {
    echo: (payload) =>
      new Promise((resolve, reject) => {
        stub.echo(payload, (error, answer) => (error ? reject(error) : resolve(answer!)))
      }),
    echoList: (items) =>
      new Promise((resolve, reject) => {
        stub.echoList({ items }, (error, answer) =>
          error ? reject(error) : resolve(answer!.items),
        )
      }),
    count: (of) => stub.count({ of }),
    async *bytes(of) {
      for await (const { data } of stub.bytes({ of })) yield data
    },
    close: async () => stub.close(),
  }
}

async function writeAll<T>(call: ServerWritableStream<Amount, T>, values: Iterable<T>) {
  for (const value of values) {
    if (!call.write(value)) await once(call, 'drain')
  }
  call.end()
}

function* payloadsUpTo(count: number): Generator<Payload> {
  for (let id = 0; id < count; id++) yield createPayload(id)
}

function* chunksOf(total: number): Generator<{ data: Uint8Array }> {
  const chunk = createChunk()
  for (const size of chunkSizes(total)) yield { data: chunk.subarray(0, size) }
}

function loadEcho(): ServiceClientConstructor {
  const file = fileURLToPath(new URL('echo.proto', import.meta.url))
  const definition = loadPackageDefinition(loadSync(file, { keepCase: true, arrays: true }))
  return (definition.bench as { Echo: ServiceClientConstructor }).Echo
}
