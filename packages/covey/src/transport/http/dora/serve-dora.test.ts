import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { z } from 'zod'
import { createApp } from '../../../app/create-app.ts'
import { defineContract } from '../../../contract/define-contract.ts'
import { defineService } from '../../../contract/define-service.ts'
import { serverStream, unary } from '../../../contract/method.ts'
import { codes } from '../../../error/codes.ts'
import { CoveyError } from '../../../error/covey-error.ts'
import { createRuntime } from '../../../rpc/runtime.ts'
import { curl, raw } from '../../../testing/fixtures/http-bench.ts'
import { until } from '../../../testing/until.ts'
import { doraCodes, toDoraCode } from './dora-codes.ts'

const limited = { timeout: 20_000 }
const guid = 'd41d8cd98f00b204e9800998ecf8427e'

const shop = defineContract('shop', {
  price: unary({
    input: z.object({ item: z.string() }),
    output: z.object({ cents: z.number() }),
    errors: { NO_SUCH_ITEM: z.object({ item: z.string() }) },
  }),
  note: unary({ input: z.string() }),
  hang: unary({ timeoutMs: 100 }),
  count: serverStream({ output: z.number() }),
  odd: unary({ errors: { ODD: z.any() } }),
})

interface Started extends AsyncDisposable {
  readonly url: string
  readonly notes: string[]
  /** Posts the two form fields and returns status and JSON. */
  ask(path: string, params: unknown, fields?: Record<string, string>): Promise<Answer>
}

interface Answer {
  readonly status: number
  readonly guid: string
  readonly code: number
  readonly msg: string
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from an answer
  readonly data: any
}

async function start(
  authenticate?: (token: string | undefined) => Promise<undefined>,
): Promise<Started> {
  const notes: string[] = []
  const runtime = createRuntime({ registry: 'memory:' })
  const service = defineService(shop, {
    price({ item }, call) {
      if (item !== 'tea') throw call.error('NO_SUCH_ITEM', { item })
      return { cents: 250 }
    },
    note: (text) => void notes.push(text),
    hang: () => new Promise<void>(() => {}),
    odd(_, call) {
      const loop: Record<string, unknown> = {}
      loop.self = loop
      throw call.error('ODD', loop)
    },
    async *count() {
      yield 1
    },
  })
  const app = createApp({
    name: 'shop',
    services: [service],
    // What stands before a handler may take its time: its caller has been answered by then.
    middleware: [
      (next) => async (call) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return next(call)
      },
    ],
    overrides: { covey: { logLevel: 'silent', drainWaitMs: 0, http: { port: 0, dora: true } } },
    runtime,
    ownsProcess: false,
    ...(authenticate === undefined ? {} : { http: { authenticate } }),
  })
  await app.start()
  const url = app.instance.addresses[1]!
  return {
    url,
    notes,
    async ask(path, params, fields = {}) {
      const text = typeof params === 'string' ? params : JSON.stringify(params)
      const body = new URLSearchParams({ params: text, guid, ...fields })
      const answer = await fetch(url + path, { method: 'POST', body })
      return { status: answer.status, ...((await answer.json()) as Omit<Answer, 'status'>) }
    },
    async [Symbol.asyncDispose]() {
      await app.stop()
      await runtime.close()
    },
  }
}

test('multisync runs all side by side, each with its own code', limited, async () => {
  await using dora = await start()
  const answer = await dora.ask('/api/multisync', {
    guid,
    api: {
      oak: { name: '/shop/price', param: { item: 'tea' } },
      elm: { name: 'shop.price', param: { item: 'ink' } },
      ash: { name: '/shop/price', param: {} },
      fir: { name: '/shop/prise', param: {} },
      yew: { name: '/shop/hang', param: [] },
      odd: { name: '/shop/odd', param: {} },
      fig: { name: '/shop/count' },
      box: 'x',
    },
  })
  const { oak, elm, ...others } = answer.data
  assert.deepEqual([answer.status, answer.guid, answer.code, answer.msg], [200, guid, 0, 'OK'])
  assert.deepEqual(oak, { guid, code: 0, msg: 'OK', data: { cents: 250 } })
  assert.deepEqual(elm, {
    guid,
    code: -1,
    msg: 'shop.price: NO_SUCH_ITEM',
    data: { code: 'NO_SUCH_ITEM', details: { item: 'ink' } },
  })
  const numbers = Object.entries<Answer>(others).map(([key, { code }]) => [key, code])
  assert.deepEqual(Object.fromEntries(numbers), {
    ash: 100_003,
    fir: 100_002,
    yew: 100_009,
    odd: -1,
    fig: 100_003,
    box: 100_003,
  })
})

test('multinoresult answers at once, and the work goes on', limited, async () => {
  await using dora = await start()
  const answer = await dora.ask('/api/multinoresult', {
    guid,
    api: {
      one: { name: '/shop/note', param: 'first' },
      two: { name: '/shop/note', param: 'second' },
      lost: { name: '/shop/nothing' },
      hung: { name: '/shop/hang' },
    },
  })
  assert.deepEqual([answer.status, answer.guid, answer.code], [200, guid, 100_001])
  assert.deepEqual(
    Object.values<Answer>(answer.data).map(({ code }) => code),
    [100_001, 100_001, 100_002, 100_001],
  )
  const wrong = { name: '/shop/note', param: 7 }
  const none = await dora.ask('/api/multinoresult', { guid, api: { wrong } })
  assert.deepEqual([none.code, none.data.wrong.code], [100_003, 100_003])
  await until(() => dora.notes.length === 2, 'both have run')
})

test('commands: figures, no reload, and an answer to all others', limited, async () => {
  await using dora = await start()
  await dora.ask('/api/multisync', {
    guid,
    api: { a: { name: 'shop.price', param: { item: 'tea' } } },
  })
  const command = (name: unknown) => dora.ask('/server/cmd', { guid, api: { cmd: { name } } })
  const stat = await command('getStat')
  assert.equal(stat.code, 0)
  const { server, logqueue } = stat.data
  assert.ok(Math.abs(server.start_time - Date.now() / 1_000) < 30, `${server.start_time}`)
  assert.ok(server.request_count >= 1 && server.connection_num >= 1)
  assert.ok(server.methods.some(({ method }: { method: string }) => method === 'shop.price'))
  assert.deepEqual(logqueue, { queue_num: 0, queue_bytes: 0 })
  const reload = await command('reloadTask')
  assert.equal(reload.code, 100_011)
  assert.match(reload.msg, /supervisor/)
  assert.equal((await command('rm -rf')).code, 100_011)
  assert.equal((await command(undefined)).code, 100_011)
  assert.equal((await dora.ask('/server/cmd', { guid, api: { x: 1 } })).code, 100_011)
})

test('wrong requests have their numbers, with status 200', limited, async () => {
  await using dora = await start()
  const api = { a: { name: 'shop.note', param: 'x' } }
  const cases: [string, unknown, number][] = [
    ['/api/single', { guid, api }, 100_002],
    ['/server/other', { guid, api }, 100_002],
    ['/api/multisync', { api }, 100_004],
    ['/api/multisync', { guid }, 100_004],
    ['/api/multisync', { guid, api: {} }, 100_004],
    ['/api/multisync', { guid, api: [] }, 100_004],
    ['/api/multisync', '{"guid":', 100_004],
    ['/api/multisync', '7', 100_004],
    ['/api/multisync', '{"guid":"a","__proto__":{},"api":{}}', 100_004],
    [
      '/api/multisync',
      { guid, api: Object.fromEntries([...Array(101).keys()].map((n) => [n, {}])) },
      100_003,
    ],
  ]
  for (const [path, params, code] of cases) {
    const answer = await dora.ask(path, params)
    assert.deepEqual([answer.status, answer.code], [200, code], JSON.stringify(params))
  }
  const url = `${dora.url}/api/multisync`
  const params = JSON.stringify({ guid, api })
  const bodies: RequestInit[] = [
    { body: new URLSearchParams({ params }) },
    { body: new URLSearchParams({ guid }) },
    { body: params, headers: { 'content-type': 'application/json' } },
    {},
  ]
  for (const init of bodies) {
    const answer = await fetch(url, { method: 'POST', ...init })
    assert.equal(answer.status, 200)
    assert.equal(((await answer.json()) as Answer).code, 100_003)
  }
  const get = await fetch(url)
  assert.deepEqual([get.status, ((await get.json()) as Answer).code], [200, 100_003])
})

test('curl with a form of either kind, over a connection that is kept', limited, async () => {
  await using dora = await start()
  const params = JSON.stringify({
    guid,
    api: { a: { name: '/shop/price', param: { item: 'tea' } } },
  })
  const url = `${dora.url}/api/multisync`
  const out = ['-o', '/dev/null', '-w', '%{http_code} %{num_connects} ']
  const plain = [...out, '--data-urlencode', `params=${params}`, '-d', `guid=${guid}`, url]
  const parts = [...out, '-F', `params=${params}`, '-F', `guid=${guid}`, url]
  assert.equal(await curl(...plain, '--next', '-sS', ...parts), '200 1 200 0 ')
  const form = await curl('-F', `params=${params}`, '-F', `guid=${guid}`, url)
  assert.deepEqual(JSON.parse(form).data.a.data, { cents: 250 })
})

test('pages and strangers get a number, not the work', limited, async () => {
  await using dora = await start(async (token) => {
    if (token !== 'good') throw new CoveyError('UNAUTHENTICATED', 'who are you?')
    return undefined
  })
  const api = { a: { name: 'shop.note', param: 'x' } }
  assert.equal((await dora.ask('/api/multinoresult', { guid, api })).code, 100_005)
  const body = new URLSearchParams({ guid, params: JSON.stringify({ guid, api }) }).toString()
  const request = [
    'POST /api/multinoresult HTTP/1.1',
    'host: a',
    'origin: https://evil.example',
    'authorization: Bearer good',
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${body.length}`,
    'connection: close',
    '',
    body,
  ]
  const answer = await raw(Number(new URL(dora.url).port), request.join('\r\n'))
  assert.match(answer, /^HTTP\/1\.1 200 .*"code":100005/s)
  assert.deepEqual(dora.notes, [])
})

test('without the setting there is no such door', limited, async () => {
  await using bench = await (
    await import('../../../testing/fixtures/http-bench.ts')
  ).openHttpBench()
  const body = new URLSearchParams({ guid, params: '{}' })
  assert.equal((await fetch(`${bench.url}/api/multisync`, { method: 'POST', body })).status, 404)
})

test('docs/errors.md tells every number of Dora', async () => {
  const text = await readFile(new URL('../../../../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => /^\| `-?\d+` \|/.test(line))
  const told = rows.map((row) => Number(/`(-?\d+)`/.exec(row)?.[1]))
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    Object.values(doraCodes).toSorted((a, b) => a - b),
  )
  for (const row of rows) {
    const number = Number(/`(-?\d+)`/.exec(row)?.[1])
    const ours = [...(row.split('|')[3] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code!)
    for (const code of ours) {
      assert.ok(Object.hasOwn(codes, code), `${code} is one of ours`)
      assert.equal(toDoraCode(code), number, code)
    }
  }
})
