import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { defineContract } from '../contract/define-contract.ts'
import { defineService } from '../contract/define-service.ts'
import { unary } from '../contract/method.ts'
import { silentLog } from '../observe/log.ts'
import { createRuntime } from '../rpc/runtime.ts'
import { raw } from '../testing/fixtures/http-bench.ts'
import { freePort } from '../testing/free-port.ts'
import { until } from '../testing/until.ts'
import { createGateway, type Gateway } from './create-gateway.ts'
import type { GatewayOptions } from './gateway-options.ts'

const limited = { timeout: 20_000 }

const page = defineContract('page', { echo: unary({ input: z.string(), output: z.string() }) })

async function open(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const context = {
    instance: 'gateway-1',
    runtime: createRuntime({ registry: 'memory:' }),
    log: silentLog,
  }
  const services = [defineService(page, { echo: (text) => text })]
  return createGateway({ context, port: await freePort(), services, http: {}, ...options })
}

const mine = (http: FastifyInstance) =>
  void http.post('/mine', ({ body }) => ({ mine: body, by: 'HTTP/1.1' }))

function post(path: string, body: string, headers: readonly string[]): string {
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...headers,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

const portOf = (gateway: Gateway) => Number(new URL(gateway.url).port)

test('who asks whether to send a body is told to, and answered', limited, async () => {
  await using gateway = await open({ routes: mine })
  for (const path of ['/rpc/page/echo', '/mine']) {
    const asked = post(path, '"hi"', ['expect: 100-continue', 'connection: close'])
    const answer = await raw(portOf(gateway), asked)
    assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n.*"hi"/s, path)
  }
})

test('a wish for HTTP/2 is answered in HTTP/1.1', limited, async () => {
  await using gateway = await open({ routes: mine })
  const wish = ['connection: upgrade, http2-settings, close', 'upgrade: h2c', 'http2-settings: AA']
  for (const path of ['/rpc/page/echo', '/mine']) {
    assert.match(
      await raw(portOf(gateway), post(path, '"hi"', wish)),
      /^HTTP\/1\.1 200 OK\r\n.*"hi"/s,
    )
  }
})

test('what is no HTTP is refused as other requests are', limited, async () => {
  await using gateway = await open()
  const answer = await raw(portOf(gateway), 'hello\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.match(answer, /x-frame-options: DENY\r\n/i)
  assert.match(answer, /content-type: application\/problem\+json\r\n/)
  assert.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').code, 'PROTOCOL_ERROR')
})

test('a gateway stops although a route never answers', limited, async () => {
  let asked = 0
  const gateway = await open({
    drainMs: 50,
    routes(http) {
      http.get('/hang', () => {
        asked += 1
        return new Promise(() => {})
      })
    },
  })
  const answer = fetch(`${gateway.url}/hang`).catch((error: Error) => error)
  await until(() => asked === 1, 'the route was asked')
  await gateway.stop()
  assert.ok((await answer) instanceof Error)
})

test('a gateway that stops lets a route answer within its time', limited, async () => {
  const answerNow = Promise.withResolvers<string>()
  let asked = 0
  const gateway = await open({
    routes(http) {
      http.get('/soon', () => {
        asked += 1
        return answerNow.promise
      })
    },
  })
  const answer = fetch(`${gateway.url}/soon`)
  await until(() => asked === 1, 'the route was asked')
  const stopped = gateway.stop()
  answerNow.resolve('done')
  assert.equal(await (await answer).text(), 'done')
  await stopped
})
