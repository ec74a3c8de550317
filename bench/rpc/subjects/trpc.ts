/**
 * tRPC over HTTP: the standalone server and the client with `httpBatchLink`, as its quickstart has them, so calls of
 * one tick share a request. Echoes are mutations, which travel by POST: as queries the larger payloads would not fit
 * in a URL. Streams go through `httpBatchStreamLink`. Inputs have to be declared; the parsers let everything through.
 */
import { once } from 'node:events'
import { createTRPCClient, httpBatchLink, httpBatchStreamLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { createHTTPServer } from '@trpc/server/adapters/standalone'
import { createPayload, type Payload } from '../payload.ts'
import type { BenchClient } from '../subject.ts'

const t = initTRPC.create()

const router = t.router({
  echo: t.procedure.input((value) => value as Payload).mutation(({ input }) => input),
  echoList: t.procedure.input((value) => value as Payload[]).mutation(({ input }) => input),
  count: t.procedure
    .input((value) => value as number)
    .query(async function* ({ input }) {
      for (let id = 0; id < input; id++) yield createPayload(id)
    }),
})

export async function startServer(port: number): Promise<void> {
  const server = createHTTPServer({ router })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

export async function connect(port: number): Promise<BenchClient> {
  const url = `http://127.0.0.1:${port}`
  const client = createTRPCClient<typeof router>({ links: [httpBatchLink({ url })] })
  const streams = createTRPCClient<typeof router>({ links: [httpBatchStreamLink({ url })] })
  return {
    echo: (payload) => client.echo.mutate(payload),
    echoList: (list) => client.echoList.mutate(list),
    async *count(count) {
      yield* await streams.count.query(count)
    },
    close: async () => {},
  }
}
