import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { openHttpBench, raw } from '../../testing/fixtures/http-bench.ts'
import { answerClientErrors } from './answer-client-errors.ts'

const limited = { timeout: 20_000 }

/** What a client is answered that sends `text`, and `more` when the first bytes of an answer are there. */
async function answerTo(text: string, listener: RequestListener, more?: string): Promise<string> {
  const server = createServer({ headersTimeout: 50, connectionsCheckingInterval: 20 }, listener)
  answerClientErrors(server, { clock: systemClock, headers: { 'x-more': 'yes' } })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const answer = more === undefined ? await raw(port, text) : await inTwo(port, text, more)
  server.close()
  return answer
}

async function inTwo(port: number, text: string, more: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const bytes of socket) {
    if (answer === '') socket.write(more)
    answer += String(bytes)
  }
  return answer
}

const head = 'POST / HTTP/1.1\r\nhost: a\r\n'
const brokenChunk = `${head}transfer-encoding: chunked\r\n\r\nzz\r\n`

test('requests that the parser refuses are answered with a problem', limited, async () => {
  const cases: [string, number, string][] = [
    ['hello\r\n\r\n', 400, 'PROTOCOL_ERROR'],
    [brokenChunk, 400, 'PROTOCOL_ERROR'],
    [`${head}x: ${'y'.repeat(99_999)}\r\n\r\n`, 431, 'PROTOCOL_ERROR'],
    [head, 408, 'DEADLINE_EXCEEDED'],
  ]
  for (const [text, status, code] of cases) {
    const answer = await answerTo(text, () => {})
    const [top = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(
      top,
      new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nx-more: yes\r\n`),
      text.slice(0, 60),
    )
    assert.match(top, /\r\ncontent-type: application\/problem\+json\r\n/)
    const problem = JSON.parse(body) as { status: number; code: string }
    assert.deepEqual([problem.status, problem.code], [status, code])
  }
})

test('nothing is written into an answer, or in place of one', limited, async () => {
  const chunked = `${head}transfer-encoding: chunked\r\n\r\n`
  const begun = await answerTo(chunked, (_, response) => void response.write('half'), 'zz\r\n')
  assert.match(begun, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n4\r\nhalf\r\n$/s)
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
  assert.equal(await answerTo(`${get}hello\r\n\r\n`, () => {}), '')
  const given = await answerTo(get, (_, response) => void response.end('whole'), 'hello\r\n\r\n')
  assert.match(given, /^HTTP\/1\.1 200 OK\r\n.*wholeHTTP\/1\.1 400 Bad Request\r\n/s)
})

test('the port of an application answers them as well', limited, async () => {
  await using bench = await openHttpBench()
  const answer = await raw(bench.port, 'hello\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n.*"code":"PROTOCOL_ERROR"/s)
})
