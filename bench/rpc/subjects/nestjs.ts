/**
 * NestJS microservices over its TCP transport. Decorators are ordinary functions and are applied by
 * hand, because Node runs TypeScript by erasing types and decorators cannot be erased.
 */
import 'reflect-metadata'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { firstValueFrom, map, type Observable, range } from 'rxjs'
import { createPayload, type Payload } from '../payload.ts'
import { spread } from '../spread.ts'
import type { BenchClient } from '../subject.ts'

class EchoController {
  echo(payload: Payload): Payload {
    return payload
  }

  echoList(list: Payload[]): Payload[] {
    return list
  }

  /** An answer of many messages is an Observable in NestJS; it knows no back-pressure. */
  count(count: number): Observable<Payload> {
    return range(0, count).pipe(map(createPayload))
  }
}

class EchoModule {}

for (const pattern of ['echo', 'echoList', 'count'] as const) {
  const method = Object.getOwnPropertyDescriptor(EchoController.prototype, pattern)!
  MessagePattern(pattern)(EchoController.prototype, pattern, method)
}
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

export function connect(port: number, connections: number): Promise<BenchClient> {
  return spread(connections, async () => {
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    })
    await client.connect()
    return {
      echo: (payload) => firstValueFrom(client.send<Payload, Payload>('echo', payload)),
      echoList: (list) => firstValueFrom(client.send<Payload[], Payload[]>('echoList', list)),
      count: (count) => iterate(client.send<Payload, number>('count', count)),
      close: async () => client.close(),
    }
  })
}

/** An Observable as an iterable: what came and was not read yet waits in a list. */
async function* iterate(messages: Observable<Payload>): AsyncGenerator<Payload> {
  let waiting: Payload[] = []
  let state: 'open' | 'done' | Error = 'open'
  let wake = () => {}
  messages.subscribe({
    next: (message) => {
      waiting.push(message)
      wake()
    },
    error: (error: unknown) => {
      state = new Error(String(error))
      wake()
    },
    complete: () => {
      state = 'done'
      wake()
    },
  })
  for (;;) {
    const some = waiting
    waiting = []
    yield* some
    if (waiting.length > 0) continue
    const now = state as 'open' | 'done' | Error
    if (now instanceof Error) throw now
    if (now === 'done') return
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}
