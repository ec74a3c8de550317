import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHttpBench } from '../../testing/fixtures/http-bench.ts'

// What callers may wish for in headers and beside the input, and how they are told of a slip.

const limited = { timeout: 20_000 }

test('accept is read with its weights', limited, async () => {
  await using bench = await openHttpBench()
  const typeFor = async (accept: string, method = 'echo', input: unknown = 1) => {
    const answer = await bench.post(method, input, { accept })
    await answer.body?.cancel()
    return answer.headers.get('content-type')?.replace('application/', '')
  }
  assert.equal(await typeFor('application/msgpack'), 'msgpack')
  assert.equal(await typeFor('application/json, application/msgpack'), 'msgpack')
  assert.equal(await typeFor('application/msgpack;q=0.5, application/json'), 'json')
  assert.equal(await typeFor('application/msgpack; q=0, */*'), 'json')
  assert.equal(await typeFor('application/msgpack;q=0.9, application/json;q=0.8'), 'msgpack')
  const stream = (accept: string) => typeFor(accept, 'count', { to: 1 })
  assert.equal(await stream('text/event-stream'), 'text/event-stream')
  assert.equal(await stream('text/event-stream;q=0'), 'x-ndjson')
  assert.equal(await stream('text/event-stream;q=0.1, application/x-ndjson'), 'x-ndjson')
})

test(
  'a key that nobody reads in an entry of a batch is refused with what was meant',
  limited,
  async () => {
    await using bench = await openHttpBench()
    const answer = await fetch(`${bench.url}/rpc/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        tea: { method: 'shop.echo', input: 1 },
        ink: { method: 'shop.echo', inptu: 1 },
        odd: { method: 'shop.echo', ['x'.repeat(500)]: 1 },
      }),
    })
    const { tea, ink, odd } = (await answer.json()) as Record<
      string,
      { error: { message: string } }
    >
    assert.deepEqual(tea, { ok: true, value: 1 })
    assert.equal(ink?.error.message, 'entry ink: no key inptu here; did you mean input?')
    assert.ok((odd?.error.message.length ?? 999) < 100)
  },
)

test('a malformed line is 400 while nothing was answered', limited, async () => {
  await using bench = await openHttpBench()
  const answer = await fetch(`${bench.url}/rpc/shop/sum`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: '1\n2,\n',
  })
  const { code, detail } = (await answer.json()) as { code: string; detail: string }
  assert.deepEqual([answer.status, code], [400, 'INVALID_INPUT'])
  assert.match(detail, /^line 2: malformed JSON/)
})

test('a page may send the metadata that it asks to send', limited, async () => {
  await using bench = await openHttpBench({ allowOrigin: () => true })
  const answer = await fetch(`${bench.url}/rpc/shop/echo`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://friend.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type, Covey-Meta-Tenant,covey-meta-b, x-other',
    },
  })
  assert.equal(answer.status, 204)
  const allowed = answer.headers.get('access-control-allow-headers')?.split(', ')
  assert.deepEqual(allowed?.slice(-2), ['Covey-Meta-Tenant', 'covey-meta-b'])
  assert.ok(allowed?.includes('covey-timeout-ms'))
  assert.ok(!allowed?.includes('x-other'))
})
