/**
 * gRPC by `@grpc/grpc-js`: plain-text HTTP/2, one channel, default options, protobuf through
 * `@grpc/proto-loader`.
 */
import { fileURLToPath } from 'node:url'
import {
  type Client,
  credentials,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Payload } from './payload.ts'
import type { EchoClient } from './subject.ts'

type Reply = (error: ServiceError | null, value?: Payload) => void
type EchoStub = Client & { echo(payload: Payload, reply: Reply): void }

const connectLimitMs = 10_000

export async function startServer(port: number): Promise<void> {
  const server = new Server()
  const echo: UntypedHandleCall = (call: { request: Payload }, reply: Reply) =>
    reply(null, call.request)
  server.addService(loadEcho().service, { echo })
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    )
  })
}

export async function connect(port: number): Promise<EchoClient> {
  const Echo = loadEcho()
  const stub = new Echo(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as EchoStub
  await new Promise<void>((resolve, reject) => {
    stub.waitForReady(Date.now() + connectLimitMs, (error) => (error ? reject(error) : resolve()))
  })
  return {
    echo: (payload) =>
      new Promise((resolve, reject) => {
        stub.echo(payload, (error, answer) => (error ? reject(error) : resolve(answer!)))
      }),
    close: async () => stub.close(),
  }
}

function loadEcho(): ServiceClientConstructor {
  const file = fileURLToPath(new URL('echo.proto', import.meta.url))
  const definition = loadPackageDefinition(loadSync(file, { keepCase: true, arrays: true }))
  return (definition.bench as { Echo: ServiceClientConstructor }).Echo
}
