/**
 * Covey over TCP as users get it: zod schemas check input and output, deadlines and the default
 * stacks are on.
 */
import { createApp, createClient, createRuntime, defineContract, defineService, unary } from 'covey'
import { z } from 'zod'
import type { EchoClient } from './subject.ts'

const Payload = z.object({
  id: z.number(),
  name: z.string(),
  email: z.string(),
  score: z.number(),
  tags: z.array(z.string()),
})

const echo = defineContract('echo', {
  echo: unary({ input: Payload, output: Payload, idempotent: true }),
})

const echoService = defineService(echo, {
  async echo(input) {
    return input
  },
})

/** The memory registry keeps files out of the measurement: the client is given the address. */
export async function startServer(port: number): Promise<void> {
  const app = createApp({
    name: 'echo',
    services: [echoService],
    runtime: createRuntime({ registry: 'memory:' }),
    overrides: { covey: { port, logLevel: 'silent' } },
  })
  await app.start()
}

/** The first call opens the connection. */
export async function connect(port: number): Promise<EchoClient> {
  const runtime = createRuntime({ registry: 'memory:' })
  const api = createClient(echo, { target: `tcp://127.0.0.1:${port}`, runtime })
  return {
    echo: (payload) => api.echo(payload),
    close: () => runtime.close(),
  }
}
