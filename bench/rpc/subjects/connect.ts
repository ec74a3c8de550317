/**
 * Connect by `@connectrpc/connect-node` over plain-text HTTP/2 with its own protocol, default options, messages by
 * protobuf-es. The schema is read from `echo.proto` at start, by `@grpc/proto-loader`, so that no generated code
 * has to be kept: descriptors are what generated files of protobuf-es hold as well, and the same code encodes by them.
 */
import { once } from 'node:events'
import { createServer } from 'node:http2'
import { fileURLToPath } from 'node:url'
import { create, createFileRegistry, type DescMessage, fromBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { type ConnectRouter, createClient } from '@connectrpc/connect'
import { connectNodeAdapter, createConnectTransport } from '@connectrpc/connect-node'
import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader'
import { createPayload, type Payload } from '../payload.ts'
import { spread } from '../spread.ts'
import { type BenchClient, chunkSizes, createChunk } from '../subject.ts'

type Unary<T> = (input: object) => Promise<T>
type Stream<T> = (input: object) => AsyncIterable<T>
interface EchoStub {
  echo: Unary<Payload>
  echoList: Unary<{ items: Payload[] }>
  count: Stream<Payload>
  bytes: Stream<{ data: Uint8Array }>
}

const schema = loadSchema()

export async function startServer(port: number): Promise<void> {
  const routes = (router: ConnectRouter) => router.service(schema.service, handlers())
  const server = createServer(connectNodeAdapter({ routes }))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

export function connect(port: number, connections: number): Promise<BenchClient> {
  return spread(connections, async () => {
    const transport = createConnectTransport({
      baseUrl: `http://127.0.0.1:${port}`,
      httpVersion: '2',
    })
    const stub = createClient(schema.service, transport) as unknown as EchoStub
    return {
      echo: async (payload) => plain(await stub.echo(create(schema.payload, { ...payload }))),
      echoList: async (list) => {
        const items = list.map((payload) => create(schema.payload, { ...payload }))
        return (await stub.echoList(create(schema.list, { items }))).items
      },
      count: (of) => stub.count(create(schema.amount, { of })),
      async *bytes(of) {
        for await (const { data } of stub.bytes(create(schema.amount, { of }))) yield data
      },
      close: async () => {},
    }
  })
}

/** Without the name of the type that protobuf-es adds. */
function plain({ id, name, email, score, tags }: Payload): Payload {
  return { id, name, email, score, tags }
}

function handlers(): object {
  const chunk = createChunk()
  return {
    echo: (payload: Payload) => payload,
    echoList: (list: object) => list,
    async *count({ of }: { of: number }) {
      for (let id = 0; id < of; id++) yield create(schema.payload, { ...createPayload(id) })
    },
    async *bytes({ of }: { of: number }) {
      for (const size of chunkSizes(of)) {
        yield create(schema.chunk, { data: chunk.subarray(0, size) })
      }
    },
  }
}

function loadSchema() {
  const definition = loadSync(fileURLToPath(new URL('echo.proto', import.meta.url)))
  const { fileDescriptorProtos } = definition['bench.Payload'] as MessageTypeDefinition<
    object,
    object
  >
  const file = fileDescriptorProtos.map((bytes) => {
    return qualified(fromBinary(FileDescriptorProtoSchema, bytes))
  })
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }))
  const message = (name: string): DescMessage => registry.getMessage(`bench.${name}`)!
  return {
    service: registry.getService('bench.Echo')!,
    payload: message('Payload'),
    list: message('PayloadList'),
    amount: message('Amount'),
    chunk: message('Chunk'),
  }
}

/** The loader leaves out the version, and writes names of types without their package; a descriptor has both. */
function qualified(file: FileDescriptorProto): FileDescriptorProto {
  const full = (name: string) => (name === '' || name.startsWith('.') ? name : `.bench.${name}`)
  file.syntax = 'proto3'
  for (const { field } of file.messageType) {
    for (const one of field) one.typeName = full(one.typeName)
  }
  for (const { method } of file.service) {
    for (const one of method) {
      one.inputType = full(one.inputType)
      one.outputType = full(one.outputType)
    }
  }
  return file
}
