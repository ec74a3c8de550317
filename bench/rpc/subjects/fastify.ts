/**
 * Fastify, in the version that Covey's own gateway uses, and undici: JSON by POST over HTTP/1.1 with keep-alive. No schema is declared, so Fastify neither
 * validates nor compiles a serializer. The pool opens as many connections as calls are in flight. Streams are
 * NDJSON, cut into lines by the client; bytes are the body as it is.
 */
import { Readable } from 'node:stream'
import fastify from 'fastify'
import { Pool } from 'undici'
import { createPayload, type Payload } from '../payload.ts'
import { type BenchClient, chunkSizes, createChunk } from '../subject.ts'

export async function startServer(port: number): Promise<void> {
  const app = fastify({ bodyLimit: 4 * 1024 * 1024 })
  app.post('/echo', async (request) => request.body)
  app.get<{ Querystring: { of: string } }>('/count', (request, reply) => {
    return reply.type('application/x-ndjson').send(Readable.from(lines(Number(request.query.of))))
  })
  app.get<{ Querystring: { of: string } }>('/bytes', (request, reply) => {
    return reply
      .type('application/octet-stream')
      .send(Readable.from(chunks(Number(request.query.of))))
  })
  await app.listen({ port, host: '127.0.0.1' })
}

export async function connect(port: number): Promise<BenchClient> {
  const pool = new Pool(`http://127.0.0.1:${port}`)
  const headers = { 'content-type': 'application/json' }
  const echo = async <T>(value: T): Promise<T> => {
    const body = JSON.stringify(value)
    const answer = await pool.request({ path: '/echo', method: 'POST', headers, body })
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`)
    return (await answer.body.json()) as T
  }
  const get = async (path: string) => (await pool.request({ path, method: 'GET' })).body
  return {
    echo,
    echoList: echo,
    async *count(count) {
      let rest = ''
      for await (const text of (await get(`/count?of=${count}`)).setEncoding('utf8')) {
        const parts = (rest + text).split('\n')
        rest = parts.pop()!
        for (const line of parts) yield JSON.parse(line) as Payload
      }
    },
    async *bytes(total) {
      yield* await get(`/bytes?of=${total}`)
    },
    close: () => pool.close(),
  }
}

function* lines(count: number): Generator<string> {
  for (let id = 0; id < count; id++) yield `${JSON.stringify(createPayload(id))}\n`
}

function* chunks(total: number): Generator<Uint8Array> {
  const chunk = createChunk()
  for (const size of chunkSizes(total)) yield chunk.subarray(0, size)
}
