/**
 * NestJS microservices over its TCP transport. Decorators are ordinary functions and are applied by
 * hand, because Node runs TypeScript by erasing types and decorators cannot be erased.
 */
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import type { Payload } from './payload.ts'
import type { EchoClient } from './subject.ts'

class EchoController {
  echo(payload: Payload): Payload {
    return payload
  }
}

class EchoModule {}

const echo = Object.getOwnPropertyDescriptor(EchoController.prototype, 'echo')!
MessagePattern('echo')(EchoController.prototype, 'echo', echo)
Controller()(EchoController)
Module({ controllers: [EchoController] })(EchoModule)

export async function startServer(port: number): Promise<void> {
  const app = await NestFactory.createMicroservice(EchoModule, {
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
    logger: false,
  })
  await app.listen()
}

export async function connect(port: number): Promise<EchoClient> {
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  })
  await client.connect()
  return {
    echo: (payload) => firstValueFrom(client.send<Payload, Payload>('echo', payload)),
    close: async () => client.close(),
  }
}
